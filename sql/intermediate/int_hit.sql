-- model:   int_hit
-- Each record that counts on as_of or will count later, with each rule or override that it hits. A
-- rule with months counts an act so long from its decision; one without counts a fact while it holds.
-- What held_hit keeps counts with them.
-- inputs:  record, policy_match, held_hit, run
-- grain:   record_id, seq
-- columns:
--   entity_id    BIGINT   registry id, internal
--   record_id    VARCHAR  the record
--   seq          BIGINT   number of the rule in the policy; negative: of an override
--   months       BIGINT   window of the rule; null: while the fact holds
--   as_of        DATE     the run's cut-off
--   decided_on   DATE     day of the act
--   starts_on    DATE     first day on which it counts
--   holds_until  DATE     first day on which the fact no longer holds, for rules without a window
--   ends_on      DATE     first day on which it no longer counts, for any rule; null: open
with item as (
    select
        m.seq,
        m.kind,
        m.level,
        m.months,
        run.as_of,
        case when m.months is not null then add_months(run.as_of, -m.months) end as after_on
    from policy_match as m
    cross join run
)
select
    cast(r.entity_id as bigint)    as entity_id,
    cast(r.record_id as varchar)   as record_id,
    cast(i.seq as bigint)          as seq,
    cast(i.months as bigint)       as months,
    cast(i.as_of as date)          as as_of,
    cast(r.decided_on as date)     as decided_on,
    cast(case when i.months is null and r.valid_from > r.decided_on then r.valid_from else r.decided_on end as date) as starts_on,
    cast(case when i.months is null then r.valid_until end as date) as holds_until,
    cast(case when i.months is null then r.valid_until else window_end(r.decided_on, i.months) end as date) as ends_on
from record as r
join item as i on i.kind = r.kind and i.level = r.level
where r.status in ('in_force', 'disputed')
    and case when i.months is null then r.valid_until is null or r.valid_until > i.as_of else r.decided_on > i.after_on end
union all
select
    cast(h.entity_id as bigint)    as entity_id,
    cast(h.record_id as varchar)   as record_id,
    cast(h.seq as bigint)          as seq,
    cast(null as bigint)           as months,
    cast(run.as_of as date)        as as_of,
    cast(h.decided_on as date)     as decided_on,
    cast(h.starts_on as date)      as starts_on,
    cast(null as date)             as holds_until,
    cast(null as date)             as ends_on
from held_hit as h
cross join run
