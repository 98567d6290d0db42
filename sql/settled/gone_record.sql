-- model:   gone_record
-- What a record becomes when the whole stock of its source no longer has it: a fact with an end ends on the day it
-- was found gone, any other no longer counts from that day. It rests on the row that was the last about the record
-- when it left; where another has come since, nothing is gone. A row that brings it back is a version after this.
-- inputs:  gone, arrived, every_record
-- grain:   record_id, source_time
-- columns:
--   entity_id        BIGINT     registry id, internal
--   uscc             VARCHAR    code at the time of settling
--   name             VARCHAR    null: nothing is said about the entity
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when it was found gone
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    one of the twelve
--   kind             VARCHAR    the word policies match
--   level            VARCHAR    as the family says; - if none
--   level_by         VARCHAR    source, or the rule that derived it
--   decided_on       DATE       date of the act
--   valid_from       DATE       the fact holds from this day
--   valid_until      DATE       and no longer on this one
--   publicity_until  DATE       first day on which sharing must have stopped
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    withdrawn where the fact has no end of its own
--   status_on        DATE       legal day of that status
--   amount_fen       BIGINT
--   quantity         BIGINT
--   doc_no           VARCHAR    document number
--   title            VARCHAR    for explanation
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was found gone
--   stage_n          BIGINT     of the row it rests on
--   row_no           BIGINT     of the row it rests on
--   row_sha          VARCHAR    of that row's, and that it is gone

with line as (
    select * exclude (version, known_from, known_to), null as name, version, from every_record
    union all by name
    select *, null as version, from arrived
),
resting as (
    select
        v.*, g.gone_on, g.gone_time, g.row_sha as last_sha,
        row_number() over (
            partition by g.record_id, g.stage_n
            order by v.source_time desc, v.stage_n desc, v.row_no desc, v.version desc nulls first
        ) as place,
    from gone as g
    join line as v on v.record_id = g.record_id and v.stage_n < g.stage_n
),
result as (
    select
        * exclude (name, source_time, valid_until, status, status_on, received_on, row_sha),
        family in ('listing', 'licence', 'rating', 'registration', 'obligation') as has_end,
        null as name,
        greatest(source_time, gone_time) as source_time,
        case when has_end then greatest(least(coalesce(valid_until, gone_on), gone_on), coalesce(valid_from, decided_on)) else valid_until end as valid_until,
        case when has_end then status else 'withdrawn' end as status,
        case when has_end then status_on else gone_on end as status_on,
        gone_on as received_on,
        sha256(concat('gone', chr(31), row_sha)) as row_sha,
    from resting
    where place = 1 and row_sha = last_sha and status <> 'withdrawn'
)
select
    cast(entity_id as bigint)       as entity_id,
    cast(uscc as varchar)           as uscc,
    cast(name as varchar)           as name,
    cast(record_id as varchar)      as record_id,
    cast(source_time as timestamp)  as source_time,
    cast(dataset as varchar)        as dataset,
    cast(family as varchar)         as family,
    cast(kind as varchar)           as kind,
    cast(level as varchar)          as level,
    cast(level_by as varchar)       as level_by,
    cast(decided_on as date)        as decided_on,
    cast(valid_from as date)        as valid_from,
    cast(valid_until as date)       as valid_until,
    cast(publicity_until as date)   as publicity_until,
    cast(share as varchar)          as share,
    cast(status as varchar)         as status,
    cast(status_on as date)         as status_on,
    cast(amount_fen as bigint)      as amount_fen,
    cast(quantity as bigint)        as quantity,
    cast(doc_no as varchar)         as doc_no,
    cast(title as varchar)          as title,
    cast(authority_uscc as varchar) as authority_uscc,
    cast(received_on as date)       as received_on,
    cast(stage_n as bigint)         as stage_n,
    cast(row_no as bigint)          as row_no,
    cast(row_sha as varchar)        as row_sha,
from result
