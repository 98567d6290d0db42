-- model:   settled_record
-- The records of one range after this snapshot. An act that is reported twice counts once: of the current rows of
-- one code, kind, authority and document number a department's stands before a platform's, and of rows of one
-- side about the same day the one first in dataset and record id. The others are withdrawn from the day on which
-- the better row was received, so that a cut-off before that day still counts them. A row whose better twin is no
-- longer of the same act is in force again.
-- inputs:  record_version, old_record, incoming, dataset_owner, settling
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

with versioned as materialized (
    select *, from record_version
),
concerned as (
    select entity_id, max(received_on) as received_on,
    from incoming
    where family in ('licence', 'penalty')
    group by entity_id
),
act as (
    select v.record_id, v.entity_id, v.kind, v.doc_no, v.authority_uscc, v.decided_on, v.received_on, v.dataset, o.from_platform,
    from versioned as v
    join concerned as c on c.entity_id = v.entity_id
    join dataset_owner as o on o.dataset = v.dataset
    where v.newest
        and v.family in ('licence', 'penalty')
        and v.doc_no is not null
        and v.authority_uscc is not null
),
-- Since when a better row of the same act was there.
better as (
    select a.entity_id, a.record_id, min(b.received_on) as since,
    from act as a
    join act as b
        on b.entity_id = a.entity_id
        and b.kind = a.kind
        and b.doc_no = a.doc_no
        and b.authority_uscc = a.authority_uscc
    where (a.from_platform and not b.from_platform)
        or (
            a.from_platform = b.from_platform
            and a.decided_on = b.decided_on
            and (b.dataset < a.dataset or (b.dataset = a.dataset and b.record_id < a.record_id))
        )
    group by a.entity_id, a.record_id
),
judged as (
    select
        v.*,
        b.since,
        v.is_new and b.since <= v.received_on as withdrawn_at_once,
        case
            when b.since > v.received_on and v.is_new then 'withdrawn'
            when b.since is not null and not v.is_new and v.newest and v.status = 'in_force' then 'withdrawn'
            when b.since is null and c.entity_id is not null and v.family in ('licence', 'penalty') and v.doc_no is not null and not v.is_new and v.newest and v.status = 'withdrawn' then 'in_force'
        end as becomes,
        coalesce(b.since, c.received_on) as becomes_on,
    from versioned as v
    left join better as b on b.entity_id = v.entity_id and b.record_id = v.record_id
    left join concerned as c on c.entity_id = v.entity_id
),
latest as (
    select v.entity_id, v.record_id, max(v.version) as version,
    from versioned as v
    semi join (select *, from judged where becomes is not null) as j on j.entity_id = v.entity_id and j.record_id = v.record_id
    group by v.entity_id, v.record_id
),
result as (
    select
        * exclude (status, status_on, known_to, is_new, newest, since, withdrawn_at_once, becomes, becomes_on),
        case when withdrawn_at_once then 'withdrawn' else status end as status,
        case when withdrawn_at_once then coalesce(decided_on, received_on) else status_on end as status_on,
        case when becomes is not null and known_to is null then (select n from settling) else known_to end as known_to,
    from judged
    union all by name
    select
        j.* exclude (
            version, status, status_on, known_from, known_to, received_on, is_new, newest, since, withdrawn_at_once, becomes,
            becomes_on
        ),
        l.version
        + row_number() over (partition by j.entity_id, j.record_id order by j.source_time, j.stage_n, j.row_no, j.version) as version,
        becomes as status,
        case when becomes = 'withdrawn' then coalesce(decided_on, received_on) end as status_on,
        (select n from settling) as known_from,
        case when newest then null else (select n from settling) end as known_to,
        greatest(received_on, becomes_on) as received_on,
    from judged as j
    join latest as l on l.entity_id = j.entity_id and l.record_id = j.record_id
    where j.becomes is not null
    union all by name
    select *, from old_record as o anti join incoming as i on i.entity_id = o.entity_id
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
from result
order by entity_id, record_id, version
