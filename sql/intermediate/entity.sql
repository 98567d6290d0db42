-- model:   entity
-- The entities as scoring may see them: of each the newest version known at known_seq (for a yearly
-- policy: received by its cut-off). A code seen only in other records has no in_scope_from.
-- inputs:  settled_entity, identity, run
-- grain:   entity_id
-- columns:
--   entity_id       BIGINT   registry id, internal
--   uscc            VARCHAR  unified social credit code
--   name            VARCHAR  as registered
--   category        VARCHAR  first two characters of the code
--   in_scope_from   DATE     registered in force from this day; null: not registered
--   in_scope_until  DATE     first day on which it is no longer; null: open
--   division        VARCHAR  GB/T 2260, of the registration
--   industry        VARCHAR  industry code
--   survivor_id     BIGINT   the entity that its records are counted for, by a judgement or as a known number; null: itself
with superseded as (
    select distinct e.entity_id
    from settled_entity as e
    where e.known_to is not null
),
seen as (
    -- nearly everybody has one version, which needs no ranking
    select e.entity_id, e.uscc, e.name, e.category, e.in_scope_from, e.in_scope_until, e.division, e.industry
    from settled_entity as e
    cross join run
    left join superseded as s on s.entity_id = e.entity_id
    where s.entity_id is null
        and e.known_from <= run.known_seq
        and (run.cutoff is null or e.received_on <= run.cutoff)
    union all
    select e.entity_id, e.uscc, e.name, e.category, e.in_scope_from, e.in_scope_until, e.division, e.industry
    from (
        select
            e.*,
            row_number() over (partition by e.entity_id order by e.known_from desc) as newest
        from settled_entity as e
        join superseded as s on s.entity_id = e.entity_id
        cross join run
        where e.known_from <= run.known_seq
            and (run.cutoff is null or e.received_on <= run.cutoff)
    ) as e
    where e.newest = 1
)
select
    cast(e.entity_id as bigint)      as entity_id,
    cast(e.uscc as varchar)          as uscc,
    cast(e.name as varchar)          as name,
    cast(e.category as varchar)      as category,
    cast(e.in_scope_from as date)    as in_scope_from,
    cast(e.in_scope_until as date)   as in_scope_until,
    cast(e.division as varchar)      as division,
    cast(e.industry as varchar)      as industry,
    cast(i.to_id as bigint)          as survivor_id
from seen as e
left join identity as i on i.from_id = e.entity_id and i.record_id is null and i.dataset is null
