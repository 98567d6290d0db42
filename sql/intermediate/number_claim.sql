-- model:   number_claim
-- Which entities are known under which number from before 2015, as registrations said by known_seq (for a yearly
-- policy: received by its cut-off): of each registration the newest version, unless it was taken back by corrected_to.
-- A code holds its organisation code by form.
-- inputs:  settled_alias, settled_mark, run
-- grain:   number, entity_id, kind
-- columns:
--   number     VARCHAR  registration number or organisation code
--   number_id  BIGINT   registry id under which its records lie; null: only marks name it
--   entity_id  BIGINT   registry id of the entity that claims it
--   uscc       VARCHAR  its code
--   kind       VARCHAR  reg_no: a registration says so; org_code: by the form of the code
with withdrawn as (
    select m.target_record_id as record_id, max(coalesce(m.source_time, timestamp '9999-12-31 00:00:00')) as until_time
    from (
        select m.*, row_number() over (partition by m.mark_id order by m.known_from desc) as newest
        from settled_mark as m
        cross join run
        where m.known_from <= run.marks_seq
            and m.target_record_id in (select a.record_id from settled_alias as a)
    ) as m
    cross join run
    where m.newest = 1 and m.kind = 'withdrawal' and m.effective_on <= run.corrected_to
    group by m.target_record_id
)
select distinct
    cast(a.number as varchar)    as number,
    cast(a.number_id as bigint)  as number_id,
    cast(a.entity_id as bigint)  as entity_id,
    cast(a.uscc as varchar)      as uscc,
    cast(a.kind as varchar)      as kind
from (
    select
        a.*,
        row_number() over (
            partition by a.number, a.kind, coalesce(a.record_id, a.uscc)
            order by a.source_time desc, a.stage_n desc, a.row_no desc, a.version desc
        ) as newest
    from settled_alias as a
    cross join run
    where a.entity_id is not null
        and a.known_from <= run.known_seq
        and (run.cutoff is null or a.received_on <= run.cutoff)
) as a
left join withdrawn as w on w.record_id = a.record_id
where a.newest = 1
    and a.says = a.number
    and a.status = 'in_force'
    and (w.until_time is null or w.until_time < a.source_time)
