-- model:   int_totals
-- What an entity's records add up to, by side, and what its overrides do. Entities without any
-- record are not here.
-- inputs:  int_indicator_points, policy_indicator, policy_override, policy_grade
-- grain:   entity_id
-- columns:
--   entity_id     BIGINT  registry id, internal
--   plain         BIGINT  hundredths beyond the neutral values of plain indicators
--   plus          BIGINT  hundredths beyond those of plus items
--   minus         BIGINT  hundredths beyond those of minus items, negative
--   override_seq  BIGINT  first override that holds; null: none
--   total_cap     BIGINT  lowest cap of the total among the overrides that hold
--   forced_rank   BIGINT  worst grade among those that force one
--   ceiling_rank  BIGINT  worst grade among those that set a ceiling
--   next_on       DATE    earliest day after as_of on which a record starts or ends to count
with effect as (
    select
        -o.seq as seq,
        o.seq as override_seq,
        o.cap as total_cap,
        f.rank as forced_rank,
        c.rank as ceiling_rank
    from policy_override as o
    left join policy_grade as f on f.grade = o.forced
    left join policy_grade as c on c.grade = o.ceiling
),
item as (
    -- an indicator and its side, or an override and its effect
    select
        i.seq,
        i.side,
        cast(null as bigint) as override_seq,
        cast(null as bigint) as total_cap,
        cast(null as bigint) as forced_rank,
        cast(null as bigint) as ceiling_rank
    from policy_indicator as i
    union all
    select
        e.seq,
        cast(null as varchar) as side,
        e.override_seq,
        e.total_cap,
        e.forced_rank,
        e.ceiling_rank
    from effect as e
),
summed as (
    select
        p.entity_id,
        sum(case when i.side = 'plain' then p.delta end) as plain,
        sum(case when i.side = 'plus' then p.delta end) as plus,
        sum(case when i.side = 'minus' then p.delta end) as minus,
        min(case when p.records > 0 then i.override_seq end) as override_seq,
        min(case when p.records > 0 then i.total_cap end) as total_cap,
        max(case when p.records > 0 then i.forced_rank end) as forced_rank,
        max(case when p.records > 0 then i.ceiling_rank end) as ceiling_rank,
        min(p.next_on) as next_on
    from int_indicator_points as p
    join item as i on i.seq = p.seq
    group by p.entity_id
)
select
    cast(s.entity_id as bigint)                as entity_id,
    cast(coalesce(s.plain, 0) as bigint)       as plain,
    cast(coalesce(s.plus, 0) as bigint)        as plus,
    cast(coalesce(s.minus, 0) as bigint)       as minus,
    cast(s.override_seq as bigint)             as override_seq,
    cast(s.total_cap as bigint)                as total_cap,
    cast(s.forced_rank as bigint)              as forced_rank,
    cast(s.ceiling_rank as bigint)             as ceiling_rank,
    cast(s.next_on as date)                    as next_on
from summed as s
