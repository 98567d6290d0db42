-- model:   points_sum_to_score
-- Graded entities whose neutral values and points do not come to their score, where no floor, cap or
-- override stands between.
-- inputs:  grade, points, policy, policy_indicator
-- grain:   uscc
-- columns:
--   uscc   VARCHAR  the entity
--   score  BIGINT   as graded
--   sums   BIGINT   as its points add up
with neutral as (
    select coalesce(sum(i.neutral), 0) as total
    from policy_indicator as i
),
added as (
    select g.uscc, g.score, p.base + n.total + coalesce(sum(x.delta), 0) as sums
    from grade as g
    cross join policy as p
    cross join neutral as n
    left join points as x on x.entity_id = g.entity_id
    where g.override is null and (p.plus_cap is null or g.plus_points < p.plus_cap)
    group by g.uscc, g.score, p.base, n.total
)
select
    cast(a.uscc as varchar)  as uscc,
    cast(a.score as bigint)  as score,
    cast(a.sums as bigint)   as sums
from added as a
cross join policy as p
where a.score <> a.sums
    and (p.floor is null or a.sums >= p.floor)
    and (p.cap is null or a.sums <= p.cap)
