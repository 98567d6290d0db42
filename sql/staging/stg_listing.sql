-- model:   stg_listing
-- Lists an entity is put on: in force from the day of listing to the day of exit, which no longer counts. A
-- list that names a day on which it ends by itself holds to the earlier of the two.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc             VARCHAR    code of the entity the row is about
--   name             VARCHAR    name as this row gives it
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    listing
--   kind             VARCHAR    abnormal_list, severe_list, judgment_debtor, spending_limit, honour_list, adverse_list or white_list
--   level            VARCHAR    -
--   level_by         VARCHAR    -
--   decided_on       DATE       listing
--   valid_from       DATE       listing
--   valid_until      DATE       exit; null: still on the list
--   publicity_until  DATE       null: no rule ends its publicity
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    in_force: marks change it later
--   status_on        DATE       null
--   amount_fen       BIGINT     amount in question
--   quantity         BIGINT     null
--   doc_no           VARCHAR    document or case number
--   title            VARCHAR    reason of listing
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values

select
    cast(uscc as varchar)                                           as uscc,
    cast(entity_name as varchar)                                    as name,
    cast(record_id as varchar)                                      as record_id,
    cast(source_time as timestamp)                                  as source_time,
    cast(dataset as varchar)                                        as dataset,
    cast('listing' as varchar)                                      as family,
    cast(kind as varchar)                                           as kind,
    cast('-' as varchar)                                            as level,
    cast('-' as varchar)                                            as level_by,
    cast(listed_on as date)                                         as decided_on,
    cast(listed_on as date)                                         as valid_from,
    cast(least(open_end(removed_on), open_end(expires_on)) as date) as valid_until,
    cast(null as date)                                              as publicity_until,
    cast(share as varchar)                                          as share,
    cast('in_force' as varchar)                                     as status,
    cast(null as date)                                              as status_on,
    cast(amount_fen as bigint)                                      as amount_fen,
    cast(null as bigint)                                            as quantity,
    cast(doc_no as varchar)                                         as doc_no,
    cast(title as varchar)                                          as title,
    cast(authority_uscc as varchar)                                 as authority_uscc,
    cast(received_on as date)                                       as received_on,
    cast(stage_n as bigint)                                         as stage_n,
    cast(row_no as bigint)                                          as row_no,
    cast(row_sha as varchar)                                        as row_sha,
from staged
where op <> 'D'
