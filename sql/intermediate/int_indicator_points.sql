-- model:   int_indicator_points
-- What each indicator gives an entity beyond its neutral value. sum adds the rules, each within its
-- cap; best, worst, mean and latest replace the neutral value. Of two latest records of one day the
-- later rule of the policy wins. An override stands here under its negative number, without points.
-- inputs:  int_rule_hits, policy_rule, policy_indicator
-- grain:   entity_id, seq
-- columns:
--   entity_id  BIGINT  registry id, internal
--   seq        BIGINT  number of the indicator in the policy; negative: of an override
--   delta      BIGINT  hundredths of a point beyond neutral, after floor and cap
--   records    BIGINT  records counted; one that two rules count, counts twice; 0: the first is still to come
--   next_on    DATE    earliest day after as_of on which a record starts or ends to count
with rule_points as (
    select
        h.entity_id,
        coalesce(r.indicator_seq, h.seq) as seq,
        h.records,
        h.next_on,
        case
            when r.cap is null then r.points * h.records
            when r.cap < 0 and r.points * h.records < r.cap then r.cap
            when r.cap > 0 and r.points * h.records > r.cap then r.cap
            else r.points * h.records
        end as given,
        -- the greatest is the one picked; of the latest, place and points stand in one number
        case
            when h.records = 0 then null
            when i.pick = 'best' then r.points
            when i.pick = 'worst' then -r.points
            when i.pick = 'latest' then (day_number(h.last_on) * 1000 + r.seq) * 100000000 + r.points + 50000000
        end as place
    from int_rule_hits as h
    left join policy_rule as r on r.seq = h.seq
    left join policy_indicator as i on i.seq = r.indicator_seq
),
gathered as (
    select
        p.entity_id,
        p.seq,
        cast(sum(p.records) as bigint) as records,
        min(p.next_on) as next_on,
        cast(sum(p.given) as bigint) as given,
        max(p.place) as place
    from rule_points as p
    group by p.entity_id, p.seq
),
valued as (
    select
        g.entity_id,
        g.seq,
        g.records,
        g.next_on,
        i.neutral,
        i.floor,
        i.cap,
        case
            when g.records = 0 then i.neutral
            when i.pick = 'sum' then i.neutral + g.given
            when i.pick = 'best' then g.place
            when i.pick = 'worst' then -g.place
            when i.pick = 'mean' then div_round(g.given, g.records)
            when i.pick = 'latest' then mod(g.place, 100000000) - 50000000
        end as points
    from gathered as g
    left join policy_indicator as i on i.seq = g.seq
)
select
    cast(v.entity_id as bigint)  as entity_id,
    cast(v.seq as bigint)        as seq,
    cast(case
        when v.points is null then 0
        when v.points < v.floor then v.floor - v.neutral
        when v.points > v.cap then v.cap - v.neutral
        else v.points - v.neutral
    end as bigint)               as delta,
    cast(v.records as bigint)    as records,
    cast(v.next_on as date)      as next_on
from valued as v
