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
)
select
    cast(p.entity_id as bigint)                                          as entity_id,
    cast(sum(case when i.side = 'plain' then p.delta else 0 end) as bigint)  as plain,
    cast(sum(case when i.side = 'plus' then p.delta else 0 end) as bigint)   as plus,
    cast(sum(case when i.side = 'minus' then p.delta else 0 end) as bigint)  as minus,
    cast(min(case when p.records > 0 then e.override_seq end) as bigint) as override_seq,
    cast(min(case when p.records > 0 then e.total_cap end) as bigint)    as total_cap,
    cast(max(case when p.records > 0 then e.forced_rank end) as bigint)  as forced_rank,
    cast(max(case when p.records > 0 then e.ceiling_rank end) as bigint) as ceiling_rank,
    cast(min(p.next_on) as date)                                         as next_on
from int_indicator_points as p
left join policy_indicator as i on i.seq = p.seq
left join effect as e on e.seq = p.seq
group by p.entity_id
