-- model:   mark_effect
-- What the marks of cases do to each record on corrected_to: of each mark the newest word known at
-- marks_seq. A list exit stands whatever its day, because it ends a half-open interval.
-- inputs:  settled_mark, joined_mark, run
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
meant as (
    select m.kind, m.uscc, m.effective_on, m.source_time, m.target_record_id
    from mark_known as m
    where m.target_record_id is not null
    union all
    select j.kind, j.uscc, j.effective_on, j.source_time, j.record_id as target_record_id from joined_mark as j
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
