-- model:   stg_obligation
-- Arrears and contracts. Arrears hold from their announcement until they are settled; what is settled is kept
-- and no longer in force.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc             VARCHAR    code of the entity the row is about
--   name             VARCHAR    name as this row gives it
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    obligation
--   kind             VARCHAR    tax_arrears, wage_arrears, social_arrears or contract
--   level            VARCHAR    open or settled; kept or breached for a contract
--   level_by         VARCHAR    source, or settled_on where the day of settling decides
--   decided_on       DATE       announced
--   valid_from       DATE       announced
--   valid_until      DATE       day settled; null: not settled
--   publicity_until  DATE       null: no rule ends its publicity
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    in_force: marks change it later
--   status_on        DATE       null
--   amount_fen       BIGINT     amount owed
--   quantity         BIGINT     persons concerned
--   doc_no           VARCHAR    number
--   title            VARCHAR    matter
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values

select
    cast(uscc as varchar)              as uscc,
    cast(entity_name as varchar)       as name,
    cast(record_id as varchar)         as record_id,
    cast(source_time as timestamp)     as source_time,
    cast(dataset as varchar)           as dataset,
    cast('obligation' as varchar)      as family,
    cast(kind as varchar)              as kind,
    cast(case when level is not null then level when kind = 'contract' then '-' when open_end(settled_on) is null then 'open' else 'settled' end as varchar) as level,
    cast(case when level is not null then 'source' when kind = 'contract' then '-' else 'settled_on' end as varchar) as level_by,
    cast(announced_on as date)         as decided_on,
    cast(announced_on as date)         as valid_from,
    cast(open_end(settled_on) as date) as valid_until,
    cast(null as date)                 as publicity_until,
    cast(share as varchar)             as share,
    cast('in_force' as varchar)        as status,
    cast(null as date)                 as status_on,
    cast(amount_fen as bigint)         as amount_fen,
    cast(quantity as bigint)           as quantity,
    cast(doc_no as varchar)            as doc_no,
    cast(title as varchar)             as title,
    cast(authority_uscc as varchar)    as authority_uscc,
    cast(received_on as date)          as received_on,
    cast(stage_n as bigint)            as stage_n,
    cast(row_no as bigint)             as row_no,
    cast(row_sha as varchar)           as row_sha,
from staged
where op <> 'D'
