-- model:   record_seen
-- The credit records as they stood for the run: of each record the newest version known at known_seq
-- (for a yearly policy: received by its cut-off), its status on corrected_to, the marks that cases
-- made up to marks_seq applied. A completion or correction lets in the version that came after the
-- cut-off. The model record is what the others read.
-- inputs:  settled_record, mark_effect, touched_entity, double_report, run
-- grain:   record_id
-- columns:
--   entity_id        BIGINT   registry id, internal
--   uscc             VARCHAR  code at the time of settling
--   record_id        VARCHAR  same after restore
--   version          INTEGER  the version seen
--   dataset          VARCHAR  owner.slug
--   family           VARCHAR  one of the twelve
--   kind             VARCHAR  what rules match
--   level            VARCHAR  canonical level, - if none
--   decided_on       DATE     day of the act; windows count from here
--   valid_from       DATE     the fact holds from this day
--   valid_until      DATE     first day on which it no longer holds; null: open
--   status           VARCHAR  in_force, disputed, repaired, withdrawn, on corrected_to
--   amount_fen       BIGINT   in fen
--   quantity         BIGINT   number, by kind
--   doc_no           VARCHAR  document number, for explanation
--   title            VARCHAR  for explanation
--   authority_uscc   VARCHAR  who decided
--   received_on      DATE     day it was staged
--   share            VARCHAR  unconditional, conditional, none
--   publicity_until  DATE     day sharing must stop
--   row_sha          VARCHAR  of the canonical values
with short_way as (
    select
        r.entity_id, r.uscc, r.record_id, r.version, r.dataset, r.family, r.kind, r.level,
        r.decided_on, r.valid_from, r.valid_until,
        case when r.status in ('repaired', 'withdrawn') and r.status_on > run.corrected_to then 'in_force' else r.status end as status,
        r.amount_fen, r.quantity, r.doc_no, r.title, r.authority_uscc, r.received_on, r.share, r.publicity_until, r.row_sha
    from settled_record as r
    cross join run
    left join touched_entity as t on t.entity_id = r.entity_id
    where r.known_from <= run.known_seq
        and (run.cutoff is null or r.received_on <= run.cutoff)
        and t.entity_id is null
),
long_way as (
    select *
    from (
        select
            r.*,
            d.record_id is not null as doubled,
            f.repaired, f.upheld, f.withdrawn_at, f.opened_on, f.closed_on, f.exit_on,
            row_number() over (
                partition by r.record_id
                order by r.source_time desc, r.stage_n desc, r.row_no desc, r.version desc
            ) as newest
        from settled_record as r
        join touched_entity as t on t.entity_id = r.entity_id
        cross join run
        left join mark_effect as f on f.record_id = r.record_id
        left join double_report as d on d.record_id = r.record_id and d.entity_id = r.entity_id
        where ((r.known_from <= run.known_seq and (run.cutoff is null or r.received_on <= run.cutoff))
                or (f.let_in = 1 and r.known_from <= run.marks_seq))
    ) as v
    where v.newest = 1
),
seen as (
    select * from short_way
    union all
    select
        r.entity_id, r.uscc, r.record_id, r.version, r.dataset, r.family, r.kind, r.level,
        r.decided_on, r.valid_from,
        case when r.exit_on is not null and (r.valid_until is null or r.exit_on < r.valid_until) then r.exit_on else r.valid_until end as valid_until,
        case
            when r.withdrawn_at >= r.source_time or r.upheld = 1 or r.doubled then 'withdrawn'
            when r.status = 'withdrawn' and (r.status_on is null or r.status_on <= run.corrected_to) then 'withdrawn'
            when r.repaired = 1 then 'repaired'
            when r.status = 'repaired' and (r.status_on is null or r.status_on <= run.corrected_to) then 'repaired'
            when r.opened_on is not null and (r.closed_on is null or r.closed_on < r.opened_on) then 'disputed'
            when r.status in ('repaired', 'withdrawn') then 'in_force'
            else r.status
        end as status,
        r.amount_fen, r.quantity, r.doc_no, r.title, r.authority_uscc, r.received_on, r.share, r.publicity_until, r.row_sha
    from long_way as r
    cross join run
)
select
    cast(s.entity_id as bigint)        as entity_id,
    cast(s.uscc as varchar)            as uscc,
    cast(s.record_id as varchar)       as record_id,
    cast(s.version as integer)         as version,
    cast(s.dataset as varchar)         as dataset,
    cast(s.family as varchar)          as family,
    cast(s.kind as varchar)            as kind,
    cast(s.level as varchar)           as level,
    cast(coalesce(s.decided_on, s.valid_from) as date) as decided_on,
    cast(coalesce(s.valid_from, s.decided_on) as date) as valid_from,
    cast(s.valid_until as date)        as valid_until,
    cast(s.status as varchar)          as status,
    cast(s.amount_fen as bigint)       as amount_fen,
    cast(s.quantity as bigint)         as quantity,
    cast(s.doc_no as varchar)          as doc_no,
    cast(s.title as varchar)           as title,
    cast(s.authority_uscc as varchar)  as authority_uscc,
    cast(s.received_on as date)        as received_on,
    cast(s.share as varchar)           as share,
    cast(s.publicity_until as date)    as publicity_until,
    cast(s.row_sha as varchar)         as row_sha
from seen as s
