-- model:   double_report
-- Acts that count already from another row, where an entity is known under several codes: settling held the rows of
-- each code against one another (decision 0005), and here those that came with different codes are. A department's
-- row stands before a platform's; of rows of one side about the same day the one first in dataset and record id.
-- inputs:  settled_record, identity, platform_dataset, run
-- grain:   entity_id, record_id
-- columns:
--   entity_id  BIGINT   the entity that the records are counted for
--   record_id  VARCHAR  the record that must not count
with act as (
    select v.entity_id, v.record_id, v.uscc, v.kind, v.doc_no, v.authority_uscc, v.decided_on, v.dataset, p.dataset is not null as from_platform
    from (
        select
            r.entity_id, r.record_id, r.uscc, r.kind, r.doc_no, r.authority_uscc, r.decided_on, r.dataset,
            row_number() over (
                partition by r.entity_id, r.record_id
                order by r.source_time desc, r.stage_n desc, r.row_no desc, r.version desc
            ) as newest
        from settled_record as r
        join (select distinct i.to_id from identity as i) as j on j.to_id = r.entity_id
        cross join run
        where r.family in ('licence', 'penalty')
            and r.known_from <= run.known_seq
            and (run.cutoff is null or r.received_on <= run.cutoff)
    ) as v
    left join platform_dataset as p on p.dataset = v.dataset
    where v.newest = 1 and v.doc_no is not null and v.authority_uscc is not null
)
select distinct
    cast(a.entity_id as bigint)  as entity_id,
    cast(a.record_id as varchar) as record_id
from act as a
join act as b
    on b.entity_id = a.entity_id
    and b.kind = a.kind
    and b.doc_no = a.doc_no
    and b.authority_uscc = a.authority_uscc
    and b.uscc <> a.uscc
where (a.from_platform and not b.from_platform)
    or (
        a.from_platform = b.from_platform
        and a.decided_on = b.decided_on
        and (b.dataset < a.dataset or (b.dataset = a.dataset and b.record_id < a.record_id))
    )
