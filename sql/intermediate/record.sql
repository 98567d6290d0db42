-- model:   record
-- The credit records as scoring may see them: of each record the newest version known at known_seq
-- (for a yearly policy: received by its cut-off), its status on corrected_to, the marks that cases
-- made up to marks_seq applied. No scoring model repeats this rule. A completion or correction lets
-- in the version that came after the cut-off. A rating holds until the next one of its dataset.
-- inputs:  settled_record, settled_mark, settled_entity, run
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
with mark_known as (
    select m.*
    from (
        select
            m.*,
            row_number() over (partition by m.mark_id order by m.known_from desc) as newest
        from settled_mark as m
        cross join run
        where m.known_from <= run.marks_seq
    ) as m
    where m.newest = 1 and m.target_record_id is not null
),
effect as (
    select
        m.target_record_id as record_id,
        min(m.uscc) as uscc,
        max(case when m.kind = 'repair' and m.effective_on <= run.corrected_to then 1 else 0 end) as repaired,
        max(case when m.kind = 'objection_upheld' and m.effective_on <= run.corrected_to then 1 else 0 end) as upheld,
        max(case when m.kind = 'withdrawal' and m.effective_on <= run.corrected_to
                 then coalesce(m.source_time, timestamp '9999-12-31 00:00:00') end) as withdrawn_at,
        max(case when m.kind in ('completion', 'correction') and m.effective_on <= run.corrected_to then 1 else 0 end) as let_in,
        max(case when m.kind = 'objection_open' and m.effective_on <= run.corrected_to then m.effective_on end) as opened_on,
        max(case when m.kind in ('objection_rejected', 'objection_upheld') and m.effective_on <= run.corrected_to then m.effective_on end) as closed_on,
        min(case when m.kind = 'list_exit' then m.effective_on end) as exit_on
    from mark_known as m
    cross join run
    group by m.target_record_id
),
-- Entities with more than one version of a record, or with a mark, take the long way; all others,
-- nearly everybody, take the short one, which never looks at record_id. A mark names its entity by
-- code (checks/mark_of_another_entity.sql holds it to that).
touched as (
    select r.entity_id
    from settled_record as r
    where r.version > 1
    union
    select e.entity_id
    from settled_entity as e
    join effect as f on f.uscc = e.uscc
    union
    select r.entity_id
    from settled_record as r
    join effect as f on f.record_id = r.record_id
    where f.uscc is null
),
short_way as (
    select
        r.entity_id, r.uscc, r.record_id, r.version, r.dataset, r.family, r.kind, r.level,
        r.decided_on, r.valid_from, r.valid_until,
        case when r.status in ('repaired', 'withdrawn') and r.status_on > run.corrected_to then 'in_force' else r.status end as status,
        r.amount_fen, r.quantity, r.doc_no, r.title, r.authority_uscc, r.received_on, r.share, r.publicity_until, r.row_sha
    from settled_record as r
    cross join run
    where r.known_from <= run.known_seq
        and (run.cutoff is null or r.received_on <= run.cutoff)
        and not exists (select 1 from touched as t where t.entity_id = r.entity_id)
),
long_way as (
    select *
    from (
        select
            r.*,
            f.repaired, f.upheld, f.withdrawn_at, f.opened_on, f.closed_on, f.exit_on,
            row_number() over (
                partition by r.record_id
                order by r.source_time desc, r.stage_n desc, r.row_no desc, r.version desc
            ) as newest
        from settled_record as r
        cross join run
        left join effect as f on f.record_id = r.record_id
        where exists (select 1 from touched as t where t.entity_id = r.entity_id)
            and ((r.known_from <= run.known_seq and (run.cutoff is null or r.received_on <= run.cutoff))
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
            when r.withdrawn_at >= r.source_time or r.upheld = 1 then 'withdrawn'
            when r.repaired = 1 then 'repaired'
            when r.status in ('repaired', 'withdrawn') and (r.status_on is null or r.status_on <= run.corrected_to) then r.status
            when r.opened_on is not null and (r.closed_on is null or r.closed_on < r.opened_on) then 'disputed'
            when r.status in ('repaired', 'withdrawn') then 'in_force'
            else r.status
        end as status,
        r.amount_fen, r.quantity, r.doc_no, r.title, r.authority_uscc, r.received_on, r.share, r.publicity_until, r.row_sha
    from long_way as r
    cross join run
),
dated as (
    select s.*, cast(null as date) as next_on
    from seen as s
    where s.family <> 'rating' or s.status = 'withdrawn'
    union all
    select
        s.*,
        min(s.decided_on) over (
            partition by s.entity_id, s.dataset, s.kind
            order by s.decided_on
            range between interval 1 day following and unbounded following
        ) as next_on
    from seen as s
    where s.family = 'rating' and s.status <> 'withdrawn'
)
select
    cast(d.entity_id as bigint)        as entity_id,
    cast(d.uscc as varchar)            as uscc,
    cast(d.record_id as varchar)       as record_id,
    cast(d.version as integer)         as version,
    cast(d.dataset as varchar)         as dataset,
    cast(d.family as varchar)          as family,
    cast(d.kind as varchar)            as kind,
    cast(d.level as varchar)           as level,
    cast(coalesce(d.decided_on, d.valid_from) as date) as decided_on,
    cast(coalesce(d.valid_from, d.decided_on) as date) as valid_from,
    cast(case when d.next_on is not null and (d.valid_until is null or d.next_on < d.valid_until) then d.next_on else d.valid_until end as date) as valid_until,
    cast(d.status as varchar)          as status,
    cast(d.amount_fen as bigint)       as amount_fen,
    cast(d.quantity as bigint)         as quantity,
    cast(d.doc_no as varchar)          as doc_no,
    cast(d.title as varchar)           as title,
    cast(d.authority_uscc as varchar)  as authority_uscc,
    cast(d.received_on as date)        as received_on,
    cast(d.share as varchar)           as share,
    cast(d.publicity_until as date)    as publicity_until,
    cast(d.row_sha as varchar)         as row_sha
from dated as d
