-- model:   code_with_two_ids
-- Codes that were given more than one id, and ids that were given to more than one code.
-- inputs:  settled_entity
-- grain:   uscc, entity_id
-- columns:
--   uscc       VARCHAR  one of the codes
--   entity_id  BIGINT   one of the ids
select
    cast(uscc as varchar)           as uscc,
    cast(max(entity_id) as bigint)  as entity_id,
from settled_entity
group by uscc
having count(distinct entity_id) > 1
union all
select
    cast(max(uscc) as varchar)      as uscc,
    cast(entity_id as bigint)       as entity_id,
from settled_entity
group by entity_id
having count(distinct uscc) > 1
