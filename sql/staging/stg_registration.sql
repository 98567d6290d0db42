-- model:   stg_registration
-- Registrations: the state an entity is in. A cancelled or revoked one holds from the day of that state.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc             VARCHAR    code of the entity the row is about
--   name             VARCHAR    name as this row gives it
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    registration
--   kind             VARCHAR    registration
--   level            VARCHAR    active, suspended, revoked or cancelled
--   level_by         VARCHAR    source, or - where there is no level
--   decided_on       DATE       established
--   valid_from       DATE       since when it is in this state
--   valid_until      DATE       null
--   publicity_until  DATE       null: no rule ends its publicity
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    in_force: marks change it later
--   status_on        DATE       null
--   amount_fen       BIGINT     registered capital
--   quantity         BIGINT     null
--   doc_no           VARCHAR    registration number
--   title            VARCHAR    kind of body
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values

select
    cast(uscc as varchar)                      as uscc,
    cast(entity_name as varchar)               as name,
    cast(record_id as varchar)                 as record_id,
    cast(source_time as timestamp)             as source_time,
    cast(dataset as varchar)                   as dataset,
    cast('registration' as varchar)            as family,
    cast(kind as varchar)                      as kind,
    cast(coalesce(level, 'active') as varchar) as level,
    cast('source' as varchar)                  as level_by,
    cast(established_on as date)               as decided_on,
    cast(case when coalesce(level, 'active') = 'active' then established_on else coalesce(status_on, established_on) end as date) as valid_from,
    cast(null as date)                         as valid_until,
    cast(null as date)                         as publicity_until,
    cast(share as varchar)                     as share,
    cast('in_force' as varchar)                as status,
    cast(null as date)                         as status_on,
    cast(capital_fen as bigint)                as amount_fen,
    cast(null as bigint)                       as quantity,
    cast(reg_no as varchar)                    as doc_no,
    cast(org_kind as varchar)                  as title,
    cast(authority_uscc as varchar)            as authority_uscc,
    cast(received_on as date)                  as received_on,
    cast(stage_n as bigint)                    as stage_n,
    cast(row_no as bigint)                     as row_no,
    cast(row_sha as varchar)                   as row_sha,
from staged
where op <> 'D'
