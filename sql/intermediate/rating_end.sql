-- model:   rating_end
-- When a rating ends because the next one of its dataset and kind came. A repaired rating still ends
-- the one before it, so that a repair never brings an older, worse one back; a withdrawn one never was.
-- inputs:  record_seen
-- grain:   entity_id, dataset, kind, decided_on
-- columns:
--   entity_id   BIGINT   registry id, internal
--   dataset     VARCHAR  whose ratings follow one another
--   kind        VARCHAR  kind of rating
--   decided_on  DATE     day of the rating that ends
--   next_on     DATE     day of the next one
with rating_day as (
    select r.entity_id, r.dataset, r.kind, r.decided_on
    from record_seen as r
    where r.family = 'rating' and r.status <> 'withdrawn'
    group by r.entity_id, r.dataset, r.kind, r.decided_on
),
following as (
    select
        d.entity_id,
        d.dataset,
        d.kind,
        d.decided_on,
        lead(d.decided_on) over (partition by d.entity_id, d.dataset, d.kind order by d.decided_on) as next_on
    from rating_day as d
)
select
    cast(e.entity_id as bigint)  as entity_id,
    cast(e.dataset as varchar)   as dataset,
    cast(e.kind as varchar)      as kind,
    cast(e.decided_on as date)   as decided_on,
    cast(e.next_on as date)      as next_on
from following as e
where e.next_on is not null
