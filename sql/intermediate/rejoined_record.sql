-- model:   rejoined_record
-- The settled records of every entity that gives records away, each under the entity it is counted for: as the record
-- itself says, else as its dataset, else as its code. A registration stays where it is, for it says who the code is
-- and not what it did. Versions, snapshots and the code a record came with are as they were.
-- inputs:  parting_record, identity
-- grain:   entity_id, record_id, version
-- columns:
--   entity_id        BIGINT     the entity it is counted for
--   uscc             VARCHAR    the code or number it came with
--   record_id        VARCHAR    as settled, like every column from here on
--   version          INTEGER
--   known_from       BIGINT
--   known_to         BIGINT
--   source_time      TIMESTAMP
--   dataset          VARCHAR
--   family           VARCHAR
--   kind             VARCHAR
--   level            VARCHAR
--   level_by         VARCHAR
--   decided_on       DATE
--   valid_from       DATE
--   valid_until      DATE
--   publicity_until  DATE
--   share            VARCHAR
--   status           VARCHAR
--   status_on        DATE
--   amount_fen       BIGINT
--   quantity         BIGINT
--   doc_no           VARCHAR
--   title            VARCHAR
--   authority_uscc   VARCHAR
--   received_on      DATE
--   stage_n          BIGINT
--   row_no           BIGINT
--   row_sha          VARCHAR
with parting as (
    select distinct i.from_id from identity as i where i.from_id is not null
)
select
    cast(case
        when r.family = 'registration' then r.entity_id
        else coalesce(one.to_id, part.to_id, whole.to_id, r.entity_id)
    end as bigint)                    as entity_id,
    cast(r.uscc as varchar)           as uscc,
    cast(r.record_id as varchar)      as record_id,
    cast(r.version as integer)        as version,
    cast(r.known_from as bigint)      as known_from,
    cast(r.known_to as bigint)        as known_to,
    cast(r.source_time as timestamp)  as source_time,
    cast(r.dataset as varchar)        as dataset,
    cast(r.family as varchar)         as family,
    cast(r.kind as varchar)           as kind,
    cast(r.level as varchar)          as level,
    cast(r.level_by as varchar)       as level_by,
    cast(r.decided_on as date)        as decided_on,
    cast(r.valid_from as date)        as valid_from,
    cast(r.valid_until as date)       as valid_until,
    cast(r.publicity_until as date)   as publicity_until,
    cast(r.share as varchar)          as share,
    cast(r.status as varchar)         as status,
    cast(r.status_on as date)         as status_on,
    cast(r.amount_fen as bigint)      as amount_fen,
    cast(r.quantity as bigint)        as quantity,
    cast(r.doc_no as varchar)         as doc_no,
    cast(r.title as varchar)          as title,
    cast(r.authority_uscc as varchar) as authority_uscc,
    cast(r.received_on as date)       as received_on,
    cast(r.stage_n as bigint)         as stage_n,
    cast(r.row_no as bigint)          as row_no,
    cast(r.row_sha as varchar)        as row_sha
from parting_record as r
join parting as p on p.from_id = r.entity_id
left join identity as one on one.from_id = r.entity_id and one.record_id = r.record_id
left join identity as part on part.from_id = r.entity_id and part.record_id is null and part.dataset = r.dataset
left join identity as whole on whole.from_id = r.entity_id and whole.record_id is null and whole.dataset is null
order by entity_id, record_id, version
