-- model:   held_hit
-- Favourable facts that ran out while the feed of their dataset was on hold, with the rules that they go on counting
-- under: their renewal may be what the feed did not bring. An adverse fact ends on its day, whatever the feed does.
-- inputs:  record, held_feed, policy_match, policy_rule, policy_indicator, run
-- grain:   record_id, seq
-- columns:
--   entity_id   BIGINT   registry id, internal
--   record_id   VARCHAR  the record
--   seq         BIGINT   number of the rule in the policy
--   decided_on  DATE     day of the act
--   starts_on   DATE     first day on which it counts
with helping as (
    -- points that replace the neutral value help when they are above it, points that are added when they are positive
    select m.seq, m.kind, m.level
    from policy_match as m
    join policy_rule as p on p.seq = m.seq
    join policy_indicator as x on x.seq = p.indicator_seq
    where m.months is null
        and p.points > case when x.pick = 'sum' then 0 else x.neutral end
)
select
    cast(r.entity_id as bigint)  as entity_id,
    cast(r.record_id as varchar) as record_id,
    cast(i.seq as bigint)        as seq,
    cast(r.decided_on as date)   as decided_on,
    cast(case when r.valid_from > r.decided_on then r.valid_from else r.decided_on end as date) as starts_on
from held_feed as h
join record as r on r.dataset = h.dataset
join helping as i on i.kind = r.kind and i.level = r.level
cross join run
where r.status in ('in_force', 'disputed')
    and r.valid_until > h.complete_to
    and r.valid_until <= run.as_of
