-- model:   stg_entity
-- What a registration row says about the entity itself. It is in scope from its establishment until the day it
-- was cancelled or its licence revoked; a suspended business stays registered.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc            VARCHAR    code of the entity
--   name            VARCHAR    registered name
--   category        VARCHAR    first two characters of the code
--   in_scope_from   DATE       registered since
--   in_scope_until  DATE       first day on which it is no longer registered; null: still is
--   division        VARCHAR    division in the code (GB/T 2260)
--   industry        VARCHAR    industry code as registered
--   received_on     DATE       day it was staged
--   source_time     TIMESTAMP  when the source wrote the row
--   dataset         VARCHAR    dataset id
--   stage_n         BIGINT     log entry of the stage chain
--   row_no          BIGINT     row within that entry

select
    cast(uscc as varchar)                                                as uscc,
    cast(entity_name as varchar)                                         as name,
    cast(left(uscc, 2) as varchar)                                       as category,
    cast(coalesce(established_on, cast(source_time as date)) as date)    as in_scope_from,
    cast(
        case
            when level in ('cancelled', 'revoked') then coalesce(open_end(status_on), cast(source_time as date))
        end
    as date)                                                             as in_scope_until,
    cast(substr(uscc, 3, 6) as varchar)                                  as division,
    cast(industry as varchar)                                            as industry,
    cast(received_on as date)                                            as received_on,
    cast(source_time as timestamp)                                       as source_time,
    cast(dataset as varchar)                                             as dataset,
    cast(stage_n as bigint)                                              as stage_n,
    cast(row_no as bigint)                                               as row_no,
from staged
where op <> 'D'
