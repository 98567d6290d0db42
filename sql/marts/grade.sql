-- model:   grade
-- Total, grade and class of each entity in the policy's population on as_of: of an admitted category
-- and registered in force, with records or without; and bodies of the other categories that the
-- policy names, only while an override forces their grade. A code that was merged into another is not
-- graded: its records are the other's.
-- inputs:  entity, int_totals, policy, policy_category, policy_indicator, policy_band, policy_override,
--          policy_grade, run
-- grain:   entity_id
-- columns:
--   entity_id       BIGINT   registry id, internal
--   uscc            VARCHAR  unified social credit code
--   name            VARCHAR  as registered
--   category        VARCHAR  first two characters of the code
--   division        VARCHAR  GB/T 2260
--   industry        VARCHAR  industry code
--   score           BIGINT   hundredths of a point, after floor, cap and override
--   plus_points     BIGINT   hundredths from plus items, within their common cap
--   minus_points    BIGINT   hundredths from minus items, as a positive number
--   grade           VARCHAR  grade of the policy
--   rank            BIGINT   its place, 1 the best
--   class           VARCHAR  class of the grade
--   override        VARCHAR  first override that holds, whether it changed anything or not; null: none
--   listed          BOOLEAN  graded only because an override forces it: body of another category
--   trial           BOOLEAN  not an official result
--   next_review_on  DATE     earliest day after as_of on which a counted item starts or ends
with neutral as (
    select
        -- a sum is wider than its terms; what is computed for everybody should not be
        cast(coalesce(sum(case when i.side = 'plain' then i.neutral end), 0) as bigint) as plain,
        cast(coalesce(sum(case when i.side = 'plus' then i.neutral end), 0) as bigint) as plus,
        cast(coalesce(sum(case when i.side = 'minus' then i.neutral end), 0) as bigint) as minus
    from policy_indicator as i
),
summed as (
    select
        e.entity_id, e.uscc, e.name, e.category, e.division, e.industry,
        c.listed,
        p.base, p.floor, p.cap,
        n.plain + coalesce(t.plain, 0) as plain,
        case when n.plus + coalesce(t.plus, 0) > p.plus_cap then p.plus_cap else n.plus + coalesce(t.plus, 0) end as plus,
        -(n.minus + coalesce(t.minus, 0)) as minus,
        t.override_seq, t.total_cap, t.forced_rank, t.ceiling_rank, t.next_on,
        run.trial
    from entity as e
    join policy_category as c on c.category = e.category
    left join int_totals as t on t.entity_id = e.entity_id
    cross join neutral as n
    cross join policy as p
    cross join run
    where e.survivor_id is null
        and (((e.in_scope_from <= run.as_of and (e.in_scope_until is null or e.in_scope_until > run.as_of)) and not c.listed)
        or (c.listed and t.forced_rank is not null and (e.in_scope_until is null or e.in_scope_until > run.as_of)))
),
bounded as (
    select
        s.*,
        case
            when s.base + s.plain + s.plus - s.minus < s.floor then s.floor
            when s.base + s.plain + s.plus - s.minus > s.cap then s.cap
            else s.base + s.plain + s.plus - s.minus
        end as bounded
    from summed as s
),
totalled as (
    select
        b.*,
        case when b.bounded > b.total_cap then b.total_cap else b.bounded end as total
    from bounded as b
),
-- Few different sums come out of many entities: the bands are looked up once for each.
banded as (
    select d.total, d.plus, d.minus, min(b.seq) as seq
    from (select distinct t.total, t.plus, t.minus from totalled as t) as d
    join policy_band as b
        on (b.total_min is null or d.total >= b.total_min) and (b.total_max is null or d.total <= b.total_max)
        and (b.plus_min is null or d.plus >= b.plus_min) and (b.plus_max is null or d.plus <= b.plus_max)
        and (b.minus_min is null or d.minus >= b.minus_min) and (b.minus_max is null or d.minus <= b.minus_max)
        and (b.net_min is null or d.plus - d.minus >= b.net_min) and (b.net_max is null or d.plus - d.minus <= b.net_max)
    group by d.total, d.plus, d.minus
),
banded_rank as (
    select x.total, x.plus, x.minus, g.rank
    from banded as x
    join policy_band as b on b.seq = x.seq
    join policy_grade as g on g.grade = b.grade
),
ranked as (
    select
        t.*,
        case
            when t.forced_rank is not null then t.forced_rank
            when t.ceiling_rank > x.rank then t.ceiling_rank
            else x.rank
        end as rank
    from totalled as t
    left join banded_rank as x on x.total = t.total and x.plus = t.plus and x.minus = t.minus
)
select
    cast(r.entity_id as bigint)   as entity_id,
    cast(r.uscc as varchar)       as uscc,
    cast(r.name as varchar)       as name,
    cast(r.category as varchar)   as category,
    cast(r.division as varchar)   as division,
    cast(r.industry as varchar)   as industry,
    cast(r.total as bigint)       as score,
    cast(r.plus as bigint)        as plus_points,
    cast(r.minus as bigint)       as minus_points,
    cast(g.grade as varchar)      as grade,
    cast(r.rank as bigint)        as rank,
    cast(g.class as varchar)      as class,
    cast(o.override as varchar)   as override,
    cast(r.listed as boolean)     as listed,
    cast(r.trial as boolean)      as trial,
    cast(r.next_on as date)       as next_review_on
from ranked as r
left join policy_grade as g on g.rank = r.rank
left join policy_override as o on o.seq = r.override_seq
