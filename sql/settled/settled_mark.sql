-- model:   settled_mark
-- All marks after this snapshot. Nothing is taken away: a statement that says something new, and one that found its
-- record, are new rows, and of each mark_id the latest known stands. A statement keeps its own name for the first
-- record it means; each further record gets mark/record. What a changed statement no longer means loses its day.
-- inputs:  old_mark, statement, match, settling
-- grain:   mark_id, known_from
-- columns:
--   mark_id           VARCHAR    names the statement; a further record meant by the same one is named mark/record
--   kind              VARCHAR    repair, withdrawal, list_exit ...
--   target_dataset    VARCHAR    dataset of the record meant; null: any
--   target_key        VARCHAR    record key; doc_no|authority|uscc where it is not known
--   target_record_id  VARCHAR    the record meant; null: an orphan that waits for it
--   effective_on      DATE       legal day; null: without effect
--   source_time       TIMESTAMP  when it was written; a withdrawal holds for versions written until then, without a time for all
--   decided_by        VARCHAR    who decided
--   evidence          VARCHAR    what it rests on
--   known_from        BIGINT     settled snapshot that brought it; of one mark_id the latest known stands
--   received_on       DATE       day it was staged
--   uscc              VARCHAR    code of the entity meant
--   doc_no            VARCHAR    document number of the record meant
--   authority_uscc    VARCHAR    code of the authority of the record meant

with latest as (
    select * exclude (place), split_part(mark_id, '/', 1) as base,
    from (
        select *, row_number() over (partition by mark_id order by known_from desc) as place, from old_mark
    )
    where place = 1
),
arrived as (
    select * exclude (place),
    from (
        select
            *,
            row_number() over (
                partition by mark_id
                order by source_time desc nulls first, stage_n desc, row_no desc, dataset
            ) as place,
        from statement
    )
    where place = 1
),
stated as (
    select a.*,
    from arrived as a
    left join latest as o on o.mark_id = a.mark_id
    where o.mark_id is null
        or (
            coalesce(a.source_time >= o.source_time, true)
            and (
                a.kind is distinct from o.kind
                or a.target_dataset is distinct from o.target_dataset
                or a.target_key is distinct from o.target_key
                or a.effective_on is distinct from o.effective_on
                or a.decided_by is distinct from o.decided_by
                or a.evidence is distinct from o.evidence
                or a.uscc is distinct from o.uscc
                or a.doc_no is distinct from o.doc_no
                or a.authority_uscc is distinct from o.authority_uscc
                or (a.target_record_id is not null and a.source_time is distinct from o.source_time)
            )
        )
),
says as (
    select
        mark_id as base, kind, target_dataset, target_key, effective_on, source_time, decided_by, evidence, received_on, uscc,
        doc_no, authority_uscc, true as anew,
    from stated
    union all
    select
        base, kind, target_dataset, target_key, effective_on, source_time, decided_by, evidence, received_on, uscc,
        doc_no, authority_uscc, false as anew,
    from latest
    where mark_id = base and mark_id not in (select mark_id from stated)
),
meant as (
    select mark_id as base, record_id, from match
    union
    select mark_id, target_record_id, from stated where target_record_id is not null
),
-- A record that a statement means keeps the name it has.
named as (
    select
        m.base, m.record_id, e.mark_id,
        row_number() over (partition by m.base, e.mark_id is null order by m.record_id) as place,
    from meant as m
    left join latest as e on e.base = m.base and e.target_record_id = m.record_id
),
-- The statement's own name is free where it has no record yet, or no longer means the one it had.
taken as (
    select distinct s.base,
    from says as s
    join latest as o on o.mark_id = s.base
    where o.target_record_id is not null
        and (
            not s.anew
            or exists (select 1 from meant as m where m.base = s.base and m.record_id = o.target_record_id)
        )
),
assigned as (
    select
        n.base, n.record_id, n.mark_id is not null as known,
        case
            when n.mark_id is not null then n.mark_id
            when n.place = 1 and n.base not in (select base from taken) then n.base
            else concat(n.base, '/', n.record_id)
        end as mark_id,
    from named as n
),
fresh as (
    select s.* exclude (base, anew), a.mark_id, a.record_id as target_record_id,
    from assigned as a
    join says as s on s.base = a.base
    where s.anew or not a.known
    union all by name
    select s.* exclude (base, anew), s.base as mark_id, null as target_record_id,
    from says as s
    where s.anew and s.base not in (select mark_id from assigned)
    union all by name
    select s.* exclude (base, anew, effective_on), null as effective_on, o.mark_id, o.target_record_id,
    from latest as o
    join says as s on s.base = o.base
    where s.anew and o.mark_id <> o.base and o.mark_id not in (select mark_id from assigned)
),
result as (
    select *, from old_mark
    union all by name
    select f.*, s.n as known_from,
    from fresh as f
    cross join settling as s
)
select
    cast(mark_id as varchar)          as mark_id,
    cast(kind as varchar)             as kind,
    cast(target_dataset as varchar)   as target_dataset,
    cast(target_key as varchar)       as target_key,
    cast(target_record_id as varchar) as target_record_id,
    cast(effective_on as date)        as effective_on,
    cast(source_time as timestamp)    as source_time,
    cast(decided_by as varchar)       as decided_by,
    cast(evidence as varchar)         as evidence,
    cast(known_from as bigint)        as known_from,
    cast(received_on as date)         as received_on,
    cast(uscc as varchar)             as uscc,
    cast(doc_no as varchar)           as doc_no,
    cast(authority_uscc as varchar)   as authority_uscc,
from result
order by mark_id, known_from
