-- model:   one_current_version
-- Records that an entity holds in no current version or in several.
-- inputs:  settled_record
-- grain:   entity_id, record_id
-- columns:
--   entity_id  BIGINT   registry id, internal
--   record_id  VARCHAR  the record
--   current    BIGINT   its current versions
select
    cast(entity_id as bigint)                                as entity_id,
    cast(record_id as varchar)                               as record_id,
    cast(count(*) filter (where known_to is null) as bigint) as current,
from settled_record
group by entity_id, record_id
having count(*) filter (where known_to is null) <> 1
