-- model:   record
-- What scoring reads as credit records: those that were seen, a rating only until the next one of its
-- dataset and kind. No scoring model repeats these rules.
-- inputs:  record_seen, rating_end
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
select
    cast(r.entity_id as bigint) as entity_id,
    cast(r.uscc as varchar) as uscc,
    cast(r.record_id as varchar) as record_id,
    cast(r.version as integer) as version,
    cast(r.dataset as varchar) as dataset,
    cast(r.family as varchar) as family,
    cast(r.kind as varchar) as kind,
    cast(r.level as varchar) as level,
    cast(r.decided_on as date) as decided_on,
    cast(r.valid_from as date) as valid_from,
    cast(r.valid_until as date) as valid_until,
    cast(r.status as varchar) as status,
    cast(r.amount_fen as bigint) as amount_fen,
    cast(r.quantity as bigint) as quantity,
    cast(r.doc_no as varchar) as doc_no,
    cast(r.title as varchar) as title,
    cast(r.authority_uscc as varchar) as authority_uscc,
    cast(r.received_on as date) as received_on,
    cast(r.share as varchar) as share,
    cast(r.publicity_until as date) as publicity_until,
    cast(r.row_sha as varchar) as row_sha
from record_seen as r
where r.family <> 'rating'
union all
select
    cast(r.entity_id as bigint) as entity_id,
    cast(r.uscc as varchar) as uscc,
    cast(r.record_id as varchar) as record_id,
    cast(r.version as integer) as version,
    cast(r.dataset as varchar) as dataset,
    cast(r.family as varchar) as family,
    cast(r.kind as varchar) as kind,
    cast(r.level as varchar) as level,
    cast(r.decided_on as date) as decided_on,
    cast(r.valid_from as date) as valid_from,
    cast(case when e.next_on < r.valid_until or r.valid_until is null then e.next_on else r.valid_until end as date) as valid_until,
    cast(r.status as varchar) as status,
    cast(r.amount_fen as bigint) as amount_fen,
    cast(r.quantity as bigint) as quantity,
    cast(r.doc_no as varchar) as doc_no,
    cast(r.title as varchar) as title,
    cast(r.authority_uscc as varchar) as authority_uscc,
    cast(r.received_on as date) as received_on,
    cast(r.share as varchar) as share,
    cast(r.publicity_until as date) as publicity_until,
    cast(r.row_sha as varchar) as row_sha
from record_seen as r
left join rating_end as e
    on e.entity_id = r.entity_id and e.dataset = r.dataset and e.kind = r.kind and e.decided_on = r.decided_on
where r.family = 'rating'
