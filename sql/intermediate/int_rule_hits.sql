-- model:   int_rule_hits
-- How many records of each entity count under each rule and each override on as_of, and the next day
-- on which one of them starts or ends. A rule with months counts an act so long from its decision;
-- one without counts a fact while it holds. Overrides have negative numbers.
-- inputs:  record, policy_match, run
-- grain:   entity_id, seq
-- columns:
--   entity_id  BIGINT  registry id, internal
--   seq        BIGINT  number of the rule in the policy; negative: of an override
--   records    BIGINT  credit records that count on as_of; 0 when the first is still to come
--   last_on    DATE    newest decision among them
--   next_on    DATE    earliest day after as_of on which a record starts or ends to count
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
),
hit as (
    select
        r.entity_id,
        i.seq,
        i.months,
        i.as_of,
        r.decided_on,
        case when i.months is null and r.valid_from > r.decided_on then r.valid_from else r.decided_on end as starts_on,
        case when i.months is null then r.valid_until end as ends_on
    from record as r
    join item as i on i.kind = r.kind and i.level = r.level
    where r.status in ('in_force', 'disputed')
        and case when i.months is null then r.valid_until is null or r.valid_until > i.as_of else r.decided_on > i.after_on end
),
grouped as (
    select
        h.entity_id,
        h.seq,
        min(h.months) as months,
        sum(case when h.starts_on <= h.as_of then 1 else 0 end) as records,
        max(case when h.starts_on <= h.as_of then h.decided_on end) as last_on,
        min(case when h.starts_on <= h.as_of then h.decided_on end) as first_on,
        min(case when h.starts_on <= h.as_of then h.ends_on end) as ends_on,
        min(case when h.starts_on > h.as_of then h.starts_on end) as starts_on
    from hit as h
    group by h.entity_id, h.seq
),
ending as (
    select
        g.entity_id,
        g.seq,
        g.records,
        g.last_on,
        g.starts_on,
        case when g.months is null then g.ends_on else window_end(g.first_on, g.months) end as ends_on
    from grouped as g
)
select
    cast(e.entity_id as bigint)  as entity_id,
    cast(e.seq as bigint)        as seq,
    cast(e.records as bigint)    as records,
    cast(e.last_on as date)      as last_on,
    cast(case when e.starts_on is null or e.ends_on < e.starts_on then e.ends_on else e.starts_on end as date) as next_on
from ending as e
