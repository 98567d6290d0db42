-- model:   record_version
-- The versions of every record of the entities that rows came for, those rows put among them. A row is a new version
-- unless it says what is known already: the same content with the same source time, or the content of the version
-- just before it. The newest is that of the latest source time, then stage entry, then row; one that came late is
-- kept, for a yearly cut-off may lie between, but was never current.
-- inputs:  old_record, incoming, settling
-- grain:   entity_id, record_id, version
-- columns:
--   entity_id        BIGINT     registry id, internal
--   uscc             VARCHAR    code at the time of settling
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   version          INTEGER    1.. in the order of becoming known
--   known_from       BIGINT     settled snapshot that brought it
--   known_to         BIGINT     settled snapshot that superseded it; null: current; = known_from: it was old when it came
--   source_time      TIMESTAMP  when the source wrote it, Shanghai wall time
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
--   status           VARCHAR    in_force; withdrawn: another row reports the same act, or the record went to another code
--   status_on        DATE       legal day of that status
--   amount_fen       BIGINT
--   quantity         BIGINT
--   doc_no           VARCHAR    document number
--   title            VARCHAR    for explanation
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged; for a version that a double report made, the day the other row was
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values
--   is_new           BOOLEAN    brought by this snapshot
--   newest           BOOLEAN    current once this snapshot is settled

with known as (
    select distinct o.entity_id, o.record_id,
    from old_record as o
    semi join incoming as i on i.entity_id = o.entity_id and i.record_id = o.record_id
),
-- Nearly every row of a first load is the only one about its record: those need no comparison.
compared as (
    select entity_id, record_id, from known
    union
    select entity_id, record_id, from incoming group by entity_id, record_id having count(*) > 1
),
arriving as (
    select
        i.*,
        row_number() over (
            partition by i.entity_id, i.record_id, i.row_sha, i.source_time
            order by i.stage_n, i.row_no
        ) as place,
    from incoming as i
    semi join compared as c on c.entity_id = i.entity_id and c.record_id = i.record_id
),
lineage as (
    select
        entity_id, uscc, record_id, source_time, dataset, family, kind, level,
        level_by, decided_on, valid_from, valid_until, publicity_until, share, status, status_on,
        amount_fen, quantity, doc_no, title, authority_uscc, received_on, stage_n, row_no, row_sha,
        version, known_from, known_to, false as is_new,
    from old_record
    semi join known using (entity_id, record_id)
    union all
    select
        entity_id, uscc, record_id, source_time, dataset, family, kind, level,
        level_by, decided_on, valid_from, valid_until, publicity_until, share, status, status_on,
        amount_fen, quantity, doc_no, title, authority_uscc, received_on, stage_n, row_no, row_sha,
        null as version, null as known_from, null as known_to, true as is_new,
    from arriving as a
    where place = 1
        and not exists (
            select 1 from old_record as o
            where o.entity_id = a.entity_id and o.record_id = a.record_id and o.row_sha = a.row_sha and o.source_time = a.source_time
        )
),
ordered as (
    select
        *,
        lag(row_sha) over (partition by entity_id, record_id order by source_time, stage_n, row_no, version nulls last) as sha_before,
    from lineage
),
kept as (
    select *, from ordered where not is_new or sha_before is null or row_sha <> sha_before
),
numbered as (
    select
        * exclude (version),
        case
            when is_new then
                coalesce(max(version) over (partition by entity_id, record_id), 0)
                + row_number() over (partition by entity_id, record_id, is_new order by source_time, stage_n, row_no)
            else version
        end as version,
    from kept
),
aged as (
    select
        *,
        row_number() over (
            partition by entity_id, record_id
            order by source_time desc, stage_n desc, row_no desc, version desc
        ) = 1 as newest,
    from numbered
),
dated as (
    select
        a.* exclude (known_from, known_to),
        case when a.is_new then s.n else a.known_from end as known_from,
        case when a.newest then null when a.is_new or a.known_to is null then s.n else a.known_to end as known_to,
    from aged as a
    cross join settling as s
    union all by name
    select
        entity_id, uscc, record_id, source_time, dataset, family, kind, level,
        level_by, decided_on, valid_from, valid_until, publicity_until, share, status, status_on,
        amount_fen, quantity, doc_no, title, authority_uscc, received_on, stage_n, row_no, row_sha,
        1 as version, (select n from settling) as known_from, null as known_to, true as is_new, true as newest,
    from incoming
    anti join compared using (entity_id, record_id)
    union all by name
    select o.*, false as is_new, o.known_to is null as newest,
    from old_record as o
    semi join incoming as i on i.entity_id = o.entity_id
    anti join known as k on k.entity_id = o.entity_id and k.record_id = o.record_id
)
select
    cast(entity_id as bigint)       as entity_id,
    cast(uscc as varchar)           as uscc,
    cast(record_id as varchar)      as record_id,
    cast(version as integer)        as version,
    cast(known_from as bigint)      as known_from,
    cast(known_to as bigint)        as known_to,
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
    cast(is_new as boolean)         as is_new,
    cast(newest as boolean)         as newest,
from dated
