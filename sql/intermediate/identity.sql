-- model:   identity
-- Whose records are counted for whom: what judgements about codes say on corrected_to (decided up to marks_seq), and
-- which numbers from before 2015 a single entity is known under. Merges are followed to their end. A number that is
-- claimed by several entities is nobody's, unless a judgement says whose. Where nothing is joined or parted, which is
-- nearly everywhere, it is empty.
-- inputs:  number_claim, settled_judgement, run
-- grain:   from_id, dataset, record_id
-- columns:
--   from_id    BIGINT   registry id under which the records lie; null: a number that only marks name
--   code       VARCHAR  its code or number
--   dataset    VARCHAR  only the records of this dataset; null: of all
--   record_id  VARCHAR  only this record; null: all
--   to_id      BIGINT   registry id of the entity they are counted for
--   to_code    VARCHAR  its code
--   basis      VARCHAR  the judgement; of a number: reg_no or org_code
with recursive said as (
    select j.*
    from settled_judgement as j
    cross join run
    where j.known_from <= run.marks_seq and j.effective_on <= run.corrected_to
),
standing as (
    select s.*
    from said as s
    where s.kind <> 'undo'
        and not exists (select 1 from said as u where u.kind = 'undo' and u.undoes = s.judgement_id)
),
merged as (
    select s.entity_id as from_id, s.uscc as code, s.successor_id as to_id, s.successor as to_code, s.judgement_id as basis
    from standing as s
    where s.kind = 'merge'
),
-- Every step from where records lie to where they are counted.
walk as (
    select m.from_id, m.code, m.to_id, m.to_code, m.basis, 1 as steps from merged as m
    union all
    select c.number_id as from_id, c.number as code, c.entity_id as to_id, c.uscc as to_code, c.kind as basis, 1 as steps from number_claim as c where c.number not in (select m.code from merged as m)
    union all
    select w.from_id, w.code, m.to_id, m.to_code, w.basis, w.steps + 1
    from walk as w
    join merged as m on m.from_id = w.to_id
    where w.steps < 1000
),
-- A number may be claimed by two that are one by now.
final as (
    select w.from_id, w.code, min(w.to_id) as to_id, min(w.to_code) as to_code, min(w.basis) as basis
    from walk as w
    where not exists (select 1 from merged as m where m.from_id = w.to_id)
    group by w.from_id, w.code
    having count(distinct w.to_id) = 1
),
-- Of a part that several judgements name, on the way or at its end, the last one decides.
parted as (
    select p.from_id, p.code, p.dataset, p.record_id, p.to_id, p.to_code, p.basis
    from (
        select
            p.*,
            row_number() over (partition by p.from_id, p.dataset, p.record_id order by p.known_from desc, p.basis) as newest
        from (
            select
                s.entity_id as from_id, s.uscc as code, s.dataset, s.record_id,
                coalesce(f.to_id, s.successor_id) as to_id, coalesce(f.to_code, s.successor) as to_code,
                s.judgement_id as basis, s.known_from
            from standing as s
            left join final as f on f.from_id = s.successor_id
            where s.kind = 'split'
            union all
            select
                w.from_id, w.code, s.dataset, s.record_id,
                coalesce(f.to_id, s.successor_id) as to_id, coalesce(f.to_code, s.successor) as to_code,
                s.judgement_id as basis, s.known_from
            from standing as s
            join (
                select distinct w.from_id, w.code, w.to_id
                from walk as w
                join final as k on k.from_id = w.from_id
            ) as w on w.to_id = s.entity_id
            left join final as f on f.from_id = s.successor_id
            where s.kind = 'split'
        ) as p
    ) as p
    where p.newest = 1
)
select
    cast(f.from_id as bigint)     as from_id,
    cast(f.code as varchar)       as code,
    cast(null as varchar)         as dataset,
    cast(null as varchar)         as record_id,
    cast(f.to_id as bigint)       as to_id,
    cast(f.to_code as varchar)    as to_code,
    cast(f.basis as varchar)      as basis
from final as f
union all
select
    cast(p.from_id as bigint)     as from_id,
    cast(p.code as varchar)       as code,
    cast(p.dataset as varchar)    as dataset,
    cast(p.record_id as varchar)  as record_id,
    cast(p.to_id as bigint)       as to_id,
    cast(p.to_code as varchar)    as to_code,
    cast(p.basis as varchar)      as basis
from parted as p
