-- model:   points
-- What each indicator gave each graded entity beyond its neutral value, only where a record hit.
-- inputs:  int_indicator_points, policy_indicator, grade
-- grain:   entity_id, indicator
-- columns:
--   entity_id  BIGINT   registry id, internal
--   uscc       VARCHAR  unified social credit code
--   indicator  VARCHAR  code in the policy
--   delta      BIGINT   hundredths of a point beyond neutral, after floor and cap
--   records    BIGINT   records counted
select
    cast(p.entity_id as bigint)   as entity_id,
    cast(g.uscc as varchar)       as uscc,
    cast(i.indicator as varchar)  as indicator,
    cast(p.delta as bigint)       as delta,
    cast(p.records as bigint)     as records
from int_indicator_points as p
join policy_indicator as i on i.seq = p.seq
join grade as g on g.entity_id = p.entity_id
where p.records > 0
