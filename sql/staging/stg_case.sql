-- model:   stg_case
-- What others decided about a record: repairs, objections, withdrawals, list exits. A row becomes a mark, never
-- a record. The row's own record id names the mark, so that a row sent again replaces what it said before; a row
-- taken back leaves a mark without a day, which has no effect.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   mark_id           VARCHAR    names the statement
--   kind              VARCHAR    repair, objection_open, objection_upheld, objection_rejected, withdrawal, correction, completion, list_exit
--   target_dataset    VARCHAR    dataset of the record meant; null: any
--   target_key        VARCHAR    record key; doc_no|authority|uscc where the source does not know the key
--   target_record_id  VARCHAR    null: settling finds the record
--   effective_on      DATE       legal day; null: taken back
--   source_time       TIMESTAMP  when the source wrote the row; null for a withdrawal: it holds for every version
--   decided_by        VARCHAR    who decided
--   evidence          VARCHAR    what the decision rests on
--   received_on       DATE       day it was staged
--   uscc              VARCHAR    code of the entity meant
--   doc_no            VARCHAR    document number of the record meant
--   authority_uscc    VARCHAR    code of the authority that made the record meant; null: not told
--   dataset           VARCHAR    dataset that told it
--   stage_n           BIGINT     log entry of the stage chain
--   row_no            BIGINT     row within that entry

select
    cast(record_id as varchar)                                          as mark_id,
    cast(coalesce(kind, 'withdrawal') as varchar)                       as kind,
    cast(target_dataset as varchar)                                     as target_dataset,
    cast(coalesce(
        target_key,
        concat_ws('|', doc_no, coalesce(authority_uscc, authority), uscc)
    ) as varchar)                                                       as target_key,
    cast(null as varchar)                                               as target_record_id,
    cast(case when op <> 'D' then effective_on end as date)             as effective_on,
    cast(case when kind <> 'withdrawal' then source_time end as timestamp) as source_time,
    cast(decided_by as varchar)                                         as decided_by,
    cast(evidence as varchar)                                           as evidence,
    cast(received_on as date)                                           as received_on,
    cast(uscc as varchar)                                               as uscc,
    cast(doc_no as varchar)                                             as doc_no,
    cast(authority_uscc as varchar)                                     as authority_uscc,
    cast(dataset as varchar)                                            as dataset,
    cast(stage_n as bigint)                                             as stage_n,
    cast(row_no as bigint)                                              as row_no,
from staged
