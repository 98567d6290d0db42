-- model:   mark_of_another_entity
-- Marks whose record belongs to another code than the mark says. Scoring finds marked records by
-- code, so such a mark would be without effect.
-- inputs:  settled_record, settled_mark
-- grain:   mark_id, record_id
-- columns:
--   mark_id    VARCHAR  the mark
--   record_id  VARCHAR  the record it means
--   uscc       VARCHAR  code the mark names
select distinct
    cast(m.mark_id as varchar)    as mark_id,
    cast(r.record_id as varchar)  as record_id,
    cast(m.uscc as varchar)       as uscc
from settled_mark as m
join settled_record as r on r.record_id = m.target_record_id
where m.uscc is null or m.uscc <> r.uscc
