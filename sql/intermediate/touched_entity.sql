-- model:   touched_entity
-- Entities with more than one version of a record, with a mark, or with records of another code. They take the long way in
-- record_seen; all others, nearly everybody, take the short one, which never looks at record_id. A
-- mark names its entity by code: checks/mark_of_another_entity.sql holds settling to that.
-- inputs:  settled_record, settled_entity, mark_effect, identity
-- grain:   entity_id
-- columns:
--   entity_id  BIGINT  registry id, internal
select cast(r.entity_id as bigint) as entity_id
from settled_record as r
where r.version > 1
union
select cast(e.entity_id as bigint) as entity_id
from settled_entity as e
join mark_effect as f on f.uscc = e.uscc
union
select cast(i.to_id as bigint) as entity_id
from identity as i
