-- model:   floor
-- The yardstick of xinshu bench score: scan, filter and group of the columns that scoring reads, without
-- any rule. What scoring costs beyond it is the price of the policy.
-- inputs:  settled_record, run
-- grain:   entity_id, kind, level
-- columns:
--   entity_id    BIGINT   registry id, internal
--   kind         VARCHAR  kind of record
--   level        VARCHAR  its level
--   records      BIGINT   records known and received in time
--   last_on      DATE     newest decision
--   valid_from   DATE     earliest start
--   valid_until  DATE     latest end
select
    cast(r.entity_id as bigint)        as entity_id,
    cast(r.kind as varchar)            as kind,
    cast(r.level as varchar)           as level,
    cast(count(*) as bigint)           as records,
    cast(max(r.decided_on) as date)    as last_on,
    cast(min(r.valid_from) as date)    as valid_from,
    cast(max(r.valid_until) as date)   as valid_until
from settled_record as r
cross join run
where r.known_from <= run.known_seq
    and r.version >= 1
    and r.received_on <= run.cutoff
    and r.decided_on <= run.as_of
    and r.family <> ''
    and r.dataset <> ''
    and (r.status in ('in_force', 'disputed') or r.status_on > run.corrected_to)
group by r.entity_id, r.kind, r.level
