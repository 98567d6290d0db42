-- model:   joined_mark
-- What a case says about a record that came with another code of the same entity: a statement that names one code of an
-- entity known under several means the records of them all. Settling looked for it among those of the code alone.
-- Where nobody is known under several codes, it is empty.
-- inputs:  settled_mark, settled_record, identity, run
-- grain:   mark_id, record_id
-- columns:
--   mark_id       VARCHAR    the mark
--   record_id     VARCHAR    the record meant
--   kind          VARCHAR    kind of mark
--   uscc          VARCHAR    code that the mark names
--   effective_on  DATE       day from which it holds
--   source_time   TIMESTAMP  when its source wrote it
with known_as as (
    select i.to_id as entity_id, i.code from identity as i
    union
    select i.to_id as entity_id, i.to_code as code from identity as i
),
mark_known as (
    select m.*
    from (
        select
            m.*,
            row_number() over (partition by m.mark_id order by m.known_from desc) as newest
        from settled_mark as m
        cross join run
        where m.known_from <= run.marks_seq
            and strpos(m.mark_id, '/') = 0
    ) as m
    where m.newest = 1
)
select
    cast(m.mark_id as varchar)        as mark_id,
    cast(r.record_id as varchar)      as record_id,
    cast(m.kind as varchar)           as kind,
    cast(m.uscc as varchar)           as uscc,
    cast(m.effective_on as date)      as effective_on,
    cast(m.source_time as timestamp)  as source_time
from mark_known as m
join known_as as k on k.code = m.uscc
join settled_record as r
    on r.entity_id = k.entity_id
    and (
        r.doc_no = m.doc_no
        or r.record_id = left(sha256(concat(m.target_dataset, chr(31), replace(m.target_key, '|', chr(31)))), 32)
    )
cross join run
where (m.target_dataset is null or m.target_dataset = r.dataset)
    and (m.authority_uscc is null or r.authority_uscc is null or m.authority_uscc = r.authority_uscc)
    and r.known_from <= run.marks_seq
    and (r.known_to is null or r.known_to > run.marks_seq)
