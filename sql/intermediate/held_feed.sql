-- model:   held_feed
-- Datasets of which a feed was on hold at known_seq, with the last day up to which they were complete.
-- What is missing from them since then may only not have been sent.
-- inputs:  settled_coverage, run
-- grain:   dataset
-- columns:
--   dataset      VARCHAR  dataset id
--   complete_to  DATE     last day of receipt on which nothing was missing
with known as (
    select
        c.*,
        row_number() over (partition by c.dataset order by c.known_from desc) as newest
    from settled_coverage as c
    cross join run
    where c.known_from <= run.known_seq
)
select
    cast(k.dataset as varchar)   as dataset,
    cast(k.complete_to as date)  as complete_to
from known as k
where k.newest = 1 and k.held_since is not null
