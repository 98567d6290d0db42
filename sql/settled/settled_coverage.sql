-- model:   settled_coverage
-- How far each dataset reaches, so that a rule whose hit is an absence stays neutral on a stale feed. A delivery
-- without rows moves the day as well: the feed is alive. A second one on the same day says nothing new.
-- inputs:  old_coverage, delivery, settling
-- grain:   dataset, known_from
-- columns:
--   dataset      VARCHAR    dataset id
--   complete_to  DATE       day of receipt up to which its rows are settled
--   rows_usual   BIGINT     accepted rows of a usual delivery: a quarter of the newest and three of what was usual
--   known_from   BIGINT     settled snapshot that knows it; of a dataset the latest known stands

with latest as (
    select * exclude (place),
    from (
        select *, row_number() over (partition by dataset order by known_from desc) as place, from old_coverage
    )
    where place = 1
),
newest as (
    select
        d.dataset,
        greatest(d.received_to, coalesce(l.complete_to, d.received_to)) as complete_to,
        case
            when d.rows = 0 then coalesce(l.rows_usual, 0)
            when coalesce(l.rows_usual, 0) = 0 then d.rows
            else div_round(3 * l.rows_usual + d.rows, 4)
        end as rows_usual,
        s.n as known_from,
    from delivery as d
    cross join settling as s
    left join latest as l on l.dataset = d.dataset
    where l.dataset is null or d.rows > 0 or d.received_to > l.complete_to
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
from result
order by dataset, known_from
