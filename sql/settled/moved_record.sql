-- model:   moved_record
-- Records whose rows name more than one code over time: a source put its mistake right. The newest row says whose the
-- record is; each other entity gets a version that withdraws it there, from the day that row was received.
-- inputs:  arrived, every_record
-- grain:   entity_id, record_id
-- columns:
--   entity_id        BIGINT     the entity that the record left
--   uscc             VARCHAR    its code
--   name             VARCHAR    null
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    one of the twelve
--   kind             VARCHAR    as the row says
--   level            VARCHAR    as the row says
--   level_by         VARCHAR    as the row says
--   decided_on       DATE       as the row says
--   valid_from       DATE       as the row says
--   valid_until      DATE       as the row says
--   publicity_until  DATE       as the row says
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    withdrawn
--   status_on        DATE       day of the act
--   amount_fen       BIGINT     as the row says
--   quantity         BIGINT     null
--   doc_no           VARCHAR    null: it reports no act
--   title            VARCHAR    as the row says
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     one less than that of the row, so that the row itself stays the newest of its record
--   row_sha          VARCHAR    of the canonical values

with crowded as (
    -- By a hash, which is small: one that two records share costs a comparison and nothing else.
    select hash(record_id) as h,
    from (
        select entity_id, record_id, from arrived
        union all
        select e.entity_id, e.record_id, from every_record as e semi join arrived as a on a.record_id = e.record_id
    )
    group by h
    having min(entity_id) <> max(entity_id)
),
line as (
    select * exclude (name), from arrived where hash(record_id) in (select h from crowded)
    union all by name
    select e.* exclude (version, known_from, known_to),
    from every_record as e
    semi join arrived as a on a.record_id = e.record_id
    where hash(e.record_id) in (select h from crowded)
),
newest as (
    select *,
    from (
        select
            *,
            row_number() over (partition by record_id order by source_time desc, stage_n desc, row_no desc, entity_id) as place,
        from line
    )
    where place = 1
),
place as (
    select distinct record_id, entity_id, uscc, from line
),
left_behind as (
    select
        p.entity_id, p.uscc, null as name,
        v.record_id, v.source_time, v.dataset, v.family, v.kind, v.level, v.level_by,
        v.decided_on, v.valid_from, v.valid_until, v.publicity_until, v.share, v.amount_fen, v.quantity,
        v.title, v.authority_uscc, v.received_on, v.stage_n, v.row_sha,
        'withdrawn' as status, coalesce(v.decided_on, v.received_on) as status_on, null as doc_no, v.row_no - 1 as row_no,
    from place as p
    join newest as v on v.record_id = p.record_id and v.entity_id <> p.entity_id
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
from left_behind
