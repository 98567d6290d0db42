-- model:   stg_annual
-- Annual reports and inspections. One that was not filed has no day of its own: it counts from 1 July of the
-- year after, when the term is over (regulation on the publicity of enterprise information, article 8: 1
-- January to 30 June).
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc             VARCHAR    code of the entity the row is about
--   name             VARCHAR    name as this row gives it
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    annual
--   kind             VARCHAR    annual_report
--   level            VARCHAR    on_time, late or not_filed
--   level_by         VARCHAR    source, or - where there is no level
--   decided_on       DATE       filed; else the first day after the term, or its last for a report said to be on time
--   valid_from       DATE       null
--   valid_until      DATE       null
--   publicity_until  DATE       null: no rule ends its publicity
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    in_force: marks change it later
--   status_on        DATE       null
--   amount_fen       BIGINT     null
--   quantity         BIGINT     head count
--   doc_no           VARCHAR    null
--   title            VARCHAR    year reported on
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values

with dated as (
    select
        *,
        coalesce(
            filed_on,
            case
                when level = 'on_time' then make_date(report_year + 1, 6, 30)
                else make_date(report_year + 1, 7, 1)
            end
        ) as filed_on_or_term,
    from staged
)
select
    cast(uscc as varchar)                                               as uscc,
    cast(entity_name as varchar)                                        as name,
    cast(record_id as varchar)                                          as record_id,
    cast(source_time as timestamp)                                      as source_time,
    cast(dataset as varchar)                                            as dataset,
    cast('annual' as varchar)                                           as family,
    cast(kind as varchar)                                               as kind,
    cast(coalesce(level, '-') as varchar)                               as level,
    cast(case when level is null then '-' else 'source' end as varchar) as level_by,
    cast(filed_on_or_term as date)                                      as decided_on,
    cast(null as date)                                                  as valid_from,
    cast(null as date)                                                  as valid_until,
    cast(null as date)                                                  as publicity_until,
    cast(share as varchar)                                              as share,
    cast('in_force' as varchar)                                         as status,
    cast(null as date)                                                  as status_on,
    cast(null as bigint)                                                as amount_fen,
    cast(quantity as bigint)                                            as quantity,
    cast(null as varchar)                                               as doc_no,
    cast(report_year as varchar)                                        as title,
    cast(authority_uscc as varchar)                                     as authority_uscc,
    cast(received_on as date)                                           as received_on,
    cast(stage_n as bigint)                                             as stage_n,
    cast(row_no as bigint)                                              as row_no,
    cast(row_sha as varchar)                                            as row_sha,
from dated
where op <> 'D'
