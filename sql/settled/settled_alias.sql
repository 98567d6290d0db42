-- model:   settled_alias
-- The numbers from before 2015 under which rows came, and who is known under them: each number once by itself, with
-- every version of every registration that ever named it, and every code that holds it. An organisation code is the
-- positions 9 to 17 of a code (GB 32100), so that nobody has to say so. Which claim stands on a day, and whether it is
-- the only one, is for the reader: the model identity.
-- inputs:  number, old_alias, said_registration, said_entity, written_range
-- grain:   number, entity_id, record_id, version
-- columns:
--   number       VARCHAR    registration number of 15 digits, or organisation code
--   kind         VARCHAR    seen: the number itself; reg_no: a registration says so; org_code: by the form of the code
--   number_id    BIGINT     registry id of the number, under which its records lie; null: only marks name it
--   entity_id    BIGINT     the entity that is known under it; null: kind seen
--   uscc         VARCHAR    its code
--   dataset      VARCHAR    dataset of the registration; - where nobody had to say it
--   record_id    VARCHAR    the registration
--   version      INTEGER    of the registration
--   says         VARCHAR    the number in this version, which may be another one or none
--   status       VARCHAR    of this version
--   source_time  TIMESTAMP  when the source wrote it
--   stage_n      BIGINT     log entry of the stage chain
--   row_no       BIGINT     row within that entry
--   received_on  DATE       day it was staged
--   known_from   BIGINT     settled snapshot that brought it
--   known_to     BIGINT     settled snapshot that superseded it; null: current

with seen as (
    select number, 'seen' as kind, max(number_id) as number_id, min(known_from) as known_from,
    from number
    group by number
),
registered as (
    select
        n.number, r.entity_id, r.uscc, r.dataset, r.record_id, r.version, r.doc_no as says, r.status, r.source_time,
        r.stage_n, r.row_no, r.received_on, r.known_from, r.known_to,
    from said_registration as r
    join (select distinct record_id, doc_no as number, from said_registration) as n on n.record_id = r.record_id
    join seen as s on s.number = n.number
    union
    select
        number, entity_id, uscc, dataset, record_id, version, says, status, source_time,
        stage_n, row_no, received_on, known_from, known_to,
    from old_alias
    where kind = 'reg_no' and entity_id // 65536 not in (select r from written_range)
),
formed as (
    select number, entity_id, uscc, min(received_on) as received_on, min(known_from) as known_from,
    from (
        select substr(uscc, 9, 9) as number, entity_id, uscc, received_on, known_from,
        from said_entity
        where length(uscc) = 18 and substr(uscc, 9, 9) in (select number from seen)
        union all
        select number, entity_id, uscc, received_on, known_from, from old_alias where kind = 'org_code'
    )
    group by number, entity_id, uscc
),
result as (
    select number, kind, number_id, known_from, from seen
    union all by name
    select *, 'reg_no' as kind, from registered
    union all by name
    select
        *, 'org_code' as kind, '-' as dataset, number as says, 'in_force' as status,
    from formed
)
select
    cast(r.number as varchar)        as number,
    cast(r.kind as varchar)          as kind,
    cast(s.number_id as bigint)      as number_id,
    cast(r.entity_id as bigint)      as entity_id,
    cast(r.uscc as varchar)          as uscc,
    cast(r.dataset as varchar)       as dataset,
    cast(r.record_id as varchar)     as record_id,
    cast(r.version as integer)       as version,
    cast(r.says as varchar)          as says,
    cast(r.status as varchar)        as status,
    cast(r.source_time as timestamp) as source_time,
    cast(r.stage_n as bigint)        as stage_n,
    cast(r.row_no as bigint)         as row_no,
    cast(r.received_on as date)      as received_on,
    cast(r.known_from as bigint)     as known_from,
    cast(r.known_to as bigint)       as known_to,
from result as r
join seen as s on s.number = r.number
order by r.number, r.kind, r.entity_id, r.record_id, r.version
