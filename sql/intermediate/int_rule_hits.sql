-- model:   int_rule_hits
-- How many records of each entity count under each rule and each override on as_of, and the next day
-- on which one of them starts or ends.
-- inputs:  int_hit
-- grain:   entity_id, seq
-- columns:
--   entity_id  BIGINT  registry id, internal
--   seq        BIGINT  number of the rule in the policy; negative: of an override
--   records    BIGINT  credit records that count on as_of; 0 when the first is still to come
--   last_on    DATE    newest decision among them
--   next_on    DATE    earliest day after as_of on which a record starts or ends to count
with grouped as (
    select
        h.entity_id,
        h.seq,
        min(h.months) as months,
        count(case when h.starts_on <= h.as_of then 1 end) as records,
        max(case when h.starts_on <= h.as_of then h.decided_on end) as last_on,
        -- of one window the oldest act ends first; a fact ends when it ends
        min(case when h.starts_on <= h.as_of then case when h.months is null then h.holds_until else h.decided_on end end) as first_on,
        min(case when h.starts_on > h.as_of then h.starts_on end) as starts_on
    from int_hit as h
    group by h.entity_id, h.seq
),
ending as (
    select
        g.entity_id,
        g.seq,
        g.records,
        g.last_on,
        g.starts_on,
        case when g.months is null then g.first_on else window_end(g.first_on, g.months) end as ends_on
    from grouped as g
)
select
    cast(e.entity_id as bigint)  as entity_id,
    cast(e.seq as bigint)        as seq,
    cast(e.records as bigint)    as records,
    cast(e.last_on as date)      as last_on,
    cast(case when e.starts_on is null or e.ends_on < e.starts_on then e.ends_on else e.starts_on end as date) as next_on
from ending as e
