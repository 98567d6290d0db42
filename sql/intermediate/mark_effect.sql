-- model:   mark_effect
-- What the marks of cases do to each record on corrected_to: of each mark the newest word known at
-- marks_seq. A list exit stands whatever its day, because it ends a half-open interval.
-- inputs:  settled_mark, settled_record, identity, run
-- grain:   record_id
-- columns:
--   record_id     VARCHAR    the record meant
--   uscc          VARCHAR    code of its entity
--   repaired      BIGINT     1: repaired
--   upheld        BIGINT     1: an objection against it was upheld
--   withdrawn_at  TIMESTAMP  withdrawn by its source: versions written until then
--   let_in        BIGINT     1: a completion or correction lets it in though it came after the cut-off
--   opened_on     DATE       newest objection opened
--   closed_on     DATE       newest objection decided
--   exit_on       DATE       earliest exit from the list
with mark_known as (
    select m.*
    from (
        select
            m.*,
            row_number() over (partition by m.mark_id order by m.known_from desc) as newest
        from settled_mark as m
        cross join run
        where m.known_from <= run.marks_seq
    ) as m
    where m.newest = 1
),
-- An entity that is known under several codes: a statement that names one of them means records that came with another.
-- Settling looked for it among the records of the code alone.
known_as as (
    select i.to_id as entity_id, i.code from identity as i
    union
    select i.to_id as entity_id, i.to_code as code from identity as i
),
far as (
    select m.kind, m.uscc, m.effective_on, m.source_time, r.record_id
    from mark_known as m
    join known_as as k on k.code = m.uscc
    join settled_record as r
        on r.entity_id = k.entity_id
        and (
            r.doc_no = m.doc_no
            or r.record_id = left(sha256(concat(m.target_dataset, chr(31), replace(m.target_key, '|', chr(31)))), 32)
        )
    cross join run
    where strpos(m.mark_id, '/') = 0
        and (m.target_dataset is null or m.target_dataset = r.dataset)
        and (m.authority_uscc is null or r.authority_uscc is null or m.authority_uscc = r.authority_uscc)
        and r.known_from <= run.marks_seq
        and (r.known_to is null or r.known_to > run.marks_seq)
),
meant as (
    select m.kind, m.uscc, m.effective_on, m.source_time, m.target_record_id
    from mark_known as m
    where m.target_record_id is not null
    union all
    select f.kind, f.uscc, f.effective_on, f.source_time, f.record_id as target_record_id from far as f
)
select
    cast(m.target_record_id as varchar) as record_id,
    cast(min(m.uscc) as varchar) as uscc,
    cast(max(case when m.kind = 'repair' and m.effective_on <= run.corrected_to then 1 else 0 end) as bigint) as repaired,
    cast(max(case when m.kind = 'objection_upheld' and m.effective_on <= run.corrected_to then 1 else 0 end) as bigint) as upheld,
    cast(max(case when m.kind = 'withdrawal' and m.effective_on <= run.corrected_to
                  then coalesce(m.source_time, timestamp '9999-12-31 00:00:00') end) as timestamp) as withdrawn_at,
    cast(max(case when m.kind in ('completion', 'correction') and m.effective_on <= run.corrected_to then 1 else 0 end) as bigint) as let_in,
    cast(max(case when m.kind = 'objection_open' and m.effective_on <= run.corrected_to then m.effective_on end) as date) as opened_on,
    cast(max(case when m.kind in ('objection_rejected', 'objection_upheld') and m.effective_on <= run.corrected_to
                  then m.effective_on end) as date) as closed_on,
    cast(min(case when m.kind = 'list_exit' then m.effective_on end) as date) as exit_on
from meant as m
cross join run
group by m.target_record_id
