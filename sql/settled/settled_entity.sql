-- model:   settled_entity
-- The entities of one range after this snapshot. What an entity is follows its newest registration row; a code seen
-- in other data only is an entity that is in no scope. Of several rows in one snapshot each day of receipt keeps the
-- newest known that day, for a yearly cut-off may lie between. A row that changes nothing is no version.
-- inputs:  old_entity, old_record, incoming_entity, seen, settling
-- grain:   entity_id, known_from, received_on
-- columns:
--   entity_id       BIGINT     given once, in the order of codes within a snapshot, never reused
--   uscc            VARCHAR    code
--   name            VARCHAR    registered name; of a code not registered, as a row gave it
--   category        VARCHAR    first two characters of the code; null: a number from before 2015, which has none
--   in_scope_from   DATE       registered since; null: seen in other data only
--   in_scope_until  DATE       first day no longer registered
--   survivor_id     BIGINT     the entity it was merged into; null: none
--   division        VARCHAR    division in the code (GB/T 2260)
--   industry        VARCHAR    industry code
--   received_on     DATE       day the row it rests on was staged
--   known_from      BIGINT     settled snapshot that brought it
--   known_to        BIGINT     settled snapshot that superseded it; null: current; = known_from: superseded in the same one

with known_registration as (
    select
        entity_id, source_time, dataset, stage_n, row_no,
        row_number() over (partition by entity_id order by source_time desc, dataset desc, stage_n desc, row_no desc) as place,
    from old_record
    where family = 'registration'
),
candidate as (
    select
        c.entity_id, c.uscc, c.name, c.category, c.in_scope_from, c.in_scope_until, c.division, c.industry, c.received_on,
        row_number() over (partition by c.entity_id order by c.source_time, c.dataset, c.stage_n, c.row_no) as place,
    from incoming_entity as c
    left join known_registration as k on k.entity_id = c.entity_id and k.place = 1
    where k.entity_id is null
        or (c.source_time, c.dataset, c.stage_n, c.row_no) > (k.source_time, k.dataset, k.stage_n, k.row_no)
    union all
    select
        entity_id, uscc, name,
        case when length(uscc) = 18 then left(uscc, 2) end, null, null,
        case when length(uscc) = 18 then substr(uscc, 3, 6) end, null, received_on,
        0 as place,
    from seen
),
-- On each day of receipt, the newest of what had come by then.
step as (
    select *,
    from (
        select
            *,
            max(place) over (partition by entity_id order by received_on, place rows unbounded preceding) as newest_so_far,
            max(place) over (partition by entity_id, received_on) as newest_that_day,
        from candidate
    )
    where place = newest_so_far and place = newest_that_day
),
line as (
    select
        entity_id, uscc, name, category, in_scope_from, in_scope_until, survivor_id, division, industry, received_on,
        known_from, -1 as place,
    from old_entity
    where known_to is null
    union all
    select
        s.entity_id, s.uscc, s.name, s.category, s.in_scope_from, s.in_scope_until, o.survivor_id, s.division, s.industry,
        s.received_on, null as known_from, s.place,
    from step as s
    left join old_entity as o on o.entity_id = s.entity_id and o.known_to is null
),
changed as (
    select *,
    from (
        select
            *,
            md5(concat_ws(chr(31), name, category, coalesce(cast(in_scope_from as varchar), '-'), coalesce(cast(in_scope_until as varchar), '-'), coalesce(industry, '-'))) as says,
            lag(says) over (partition by entity_id order by place) as said,
        from line
    )
    where said is null or said <> says
),
dated as (
    select
        * exclude (known_from),
        coalesce(known_from, (select n from settling)) as known_from,
        case
            when lead(place) over (partition by entity_id order by place) is not null then (select n from settling)
        end as known_to,
    from changed
    union all by name
    select *, from old_entity where known_to is not null
)
select
    cast(entity_id as bigint)    as entity_id,
    cast(uscc as varchar)        as uscc,
    cast(name as varchar)        as name,
    cast(category as varchar)    as category,
    cast(in_scope_from as date)  as in_scope_from,
    cast(in_scope_until as date) as in_scope_until,
    cast(survivor_id as bigint)  as survivor_id,
    cast(division as varchar)    as division,
    cast(industry as varchar)    as industry,
    cast(received_on as date)    as received_on,
    cast(known_from as bigint)   as known_from,
    cast(known_to as bigint)     as known_to,
from dated
order by entity_id, known_from, received_on
