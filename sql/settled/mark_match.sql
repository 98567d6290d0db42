-- model:   mark_match
-- Which records of one range each statement means: the record with the dataset and key it names, or every record of
-- the code with the document number it names, unless authority or dataset differ. The same act may stand twice, from
-- a department and a platform: both are meant.
-- inputs:  statement, act
-- grain:   mark_id, record_id
-- columns:
--   mark_id      VARCHAR    the statement
--   record_id    VARCHAR    the record meant
--   source_time  TIMESTAMP  of the newest version known

with meant as (
    select s.mark_id, a.record_id, a.source_time,
    from statement as s
    join act as a on a.record_id = coalesce(
        s.target_record_id,
        left(sha256(concat(s.target_dataset, chr(31), replace(s.target_key, '|', chr(31)))), 32)
    )
    union all
    select s.mark_id, a.record_id, a.source_time,
    from statement as s
    join act as a on a.uscc = s.uscc and a.doc_no = s.doc_no
    where (s.authority_uscc is null or a.authority_uscc is null or s.authority_uscc = a.authority_uscc)
        and (s.target_dataset is null or s.target_dataset = a.dataset)
)
select
    cast(mark_id as varchar)            as mark_id,
    cast(record_id as varchar)          as record_id,
    cast(max(source_time) as timestamp) as source_time,
from meant
group by mark_id, record_id
