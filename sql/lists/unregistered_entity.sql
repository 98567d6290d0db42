-- model:   unregistered_entity
-- Codes that some department names in a record and that no registration dataset has sent (应归尽归).
-- inputs:  settled_record, settled_entity
-- grain:   entity_id
-- columns:
--   entity_id    BIGINT   registry id, internal
--   uscc         VARCHAR  the code
--   name         VARCHAR  as the record that names it has it; null: it has none
--   shown_by     VARCHAR  dataset that named it first
--   received_on  DATE     day of that
--   records      BIGINT   current records that name it
with named as (
    select entity_id, dataset, received_on, row_number() over (partition by entity_id order by received_on, dataset, record_id) as place,
    from settled_record
    where known_to is null
        and family <> 'registration'
),
counted as (
    select entity_id, count(*) as records, from named group by entity_id
)
select
    cast(e.entity_id as bigint)   as entity_id,
    cast(e.uscc as varchar)       as uscc,
    cast(e.name as varchar)       as name,
    cast(n.dataset as varchar)    as shown_by,
    cast(n.received_on as date)   as received_on,
    cast(c.records as bigint)     as records,
from settled_entity as e
join named as n on n.entity_id = e.entity_id and n.place = 1
join counted as c on c.entity_id = e.entity_id
where e.known_to is null
    and e.survivor_id is null
    and not exists (
        select 1
        from settled_record as r
        where r.entity_id = e.entity_id
            and r.known_to is null
            and r.family = 'registration'
    )
