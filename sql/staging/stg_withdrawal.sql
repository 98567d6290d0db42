-- model:   stg_withdrawal
-- Rows by which a source takes a record back (op D), whatever the family. Each becomes a withdrawal mark from the
-- day of the source's own time; it holds for the versions written until then, so a record sent anew counts again.
-- inputs:  staged
-- grain:   dataset, stage_n, row_no
-- columns:
--   mark_id           VARCHAR    names the statement
--   kind              VARCHAR    withdrawal
--   target_dataset    VARCHAR    dataset of the record
--   target_key        VARCHAR    record key
--   target_record_id  VARCHAR    the record, whether it has come yet or not
--   effective_on      DATE       day of the source's time
--   source_time       TIMESTAMP  when the source wrote the row
--   decided_by        VARCHAR    dataset that told it
--   evidence          VARCHAR    null
--   received_on       DATE       day it was staged
--   uscc              VARCHAR    code of the entity
--   doc_no            VARCHAR    null: the record is known, no other may be meant
--   authority_uscc    VARCHAR    null
--   dataset           VARCHAR    dataset that told it
--   stage_n           BIGINT     log entry of the stage chain
--   row_no            BIGINT     row within that entry

select
    cast(left(sha256(concat('D', chr(31), record_id, chr(31), row_sha)), 32) as varchar) as mark_id,
    cast('withdrawal' as varchar)                                                        as kind,
    cast(dataset as varchar)                                                             as target_dataset,
    cast(record_key as varchar)                                                          as target_key,
    cast(record_id as varchar)                                                           as target_record_id,
    cast(source_time as date)                                                            as effective_on,
    cast(source_time as timestamp)                                                       as source_time,
    cast(dataset as varchar)                                                             as decided_by,
    cast(null as varchar)                                                                as evidence,
    cast(received_on as date)                                                            as received_on,
    cast(uscc as varchar)                                                                as uscc,
    cast(null as varchar)                                                                as doc_no,
    cast(null as varchar)                                                                as authority_uscc,
    cast(dataset as varchar)                                                             as dataset,
    cast(stage_n as bigint)                                                              as stage_n,
    cast(row_no as bigint)                                                               as row_no,
from staged
where op = 'D'
