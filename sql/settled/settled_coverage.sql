-- model:   settled_coverage
-- How far each dataset reaches, so that a rule whose hit is an absence stays neutral on a stale feed. A delivery
-- without rows moves the day as well: the feed is alive. A second one on the same day says nothing new. While a feed
-- of the dataset is on hold its rows count and the day stands: what is missing since then may only not have been sent.
-- inputs:  old_coverage, delivery, feed_hold, settling
-- grain:   dataset, known_from
-- columns:
--   dataset      VARCHAR    dataset id
--   complete_to  DATE       day of receipt up to which its rows are settled
--   rows_usual   BIGINT     accepted rows of a usual delivery: a quarter of the newest and three of what was usual
--   known_from   BIGINT     settled snapshot that knows it; of a dataset the latest known stands
--   held_since   DATE       a feed of it is on hold since this day; null: none is

with latest as (
    select * exclude (place),
    from (
        select *, row_number() over (partition by dataset order by known_from desc) as place, from old_coverage
    )
    where place = 1
),
delivered as (
    select dataset, max(received_to) as received_to, sum(rows) as rows, from delivery group by dataset
),
newest as (
    select
        d.dataset,
        case
            when h.held_since is null then greatest(d.received_to, coalesce(l.complete_to, d.received_to))
            else coalesce(l.complete_to, least(d.received_to, h.held_since))
        end as complete_to,
        case
            when d.rows = 0 or h.held_since is not null then coalesce(l.rows_usual, 0)
            when coalesce(l.rows_usual, 0) = 0 then d.rows
            else div_round(3 * l.rows_usual + d.rows, 4)
        end as rows_usual,
        s.n as known_from,
        h.held_since,
    from delivered as d
    cross join settling as s
    left join latest as l on l.dataset = d.dataset
    left join feed_hold as h on h.dataset = d.dataset
    where l.dataset is null
        or h.held_since is distinct from l.held_since
        or (h.held_since is null and (d.rows > 0 or d.received_to > l.complete_to))
),
result as (
    select *, from old_coverage
    union all by name
    select *, from newest
)
select
    cast(dataset as varchar)   as dataset,
    cast(complete_to as date)  as complete_to,
    cast(rows_usual as bigint) as rows_usual,
    cast(known_from as bigint) as known_from,
    cast(held_since as date)   as held_since,
from result
order by dataset, known_from
