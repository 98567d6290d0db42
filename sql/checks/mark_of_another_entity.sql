-- model:   mark_of_another_entity
-- Marks whose record was never with the code that the mark names.
-- inputs:  settled_record, settled_mark
-- grain:   mark_id
-- columns:
--   mark_id           VARCHAR  the mark
--   target_record_id  VARCHAR  the record it means
--   uscc              VARCHAR  the code it names
with standing as (
    select mark_id, target_record_id, uscc,
    from (
        select *, row_number() over (partition by mark_id order by known_from desc) as place, from settled_mark
    )
    where place = 1 and effective_on is not null
)
select
    cast(m.mark_id as varchar)          as mark_id,
    cast(m.target_record_id as varchar) as target_record_id,
    cast(m.uscc as varchar)             as uscc,
from standing as m
where exists (select 1 from settled_record as r where r.record_id = m.target_record_id)
    and not exists (select 1 from settled_record as r where r.record_id = m.target_record_id and r.uscc = m.uscc)
