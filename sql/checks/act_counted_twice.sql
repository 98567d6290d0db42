-- model:   act_counted_twice
-- Acts that a department and a platform report and that count from both (facts.md 2.3).
-- inputs:  settled_record, dataset_owner
-- grain:   entity_id, kind, authority_uscc, doc_no
-- columns:
--   entity_id       BIGINT   registry id, internal
--   kind            VARCHAR  licence, approval, filing or penalty
--   authority_uscc  VARCHAR  code of the authority
--   doc_no          VARCHAR  document number
select
    cast(r.entity_id as bigint)       as entity_id,
    cast(r.kind as varchar)           as kind,
    cast(r.authority_uscc as varchar) as authority_uscc,
    cast(r.doc_no as varchar)         as doc_no,
from settled_record as r
join dataset_owner as o on o.dataset = r.dataset
where r.known_to is null
    and r.status = 'in_force'
    and r.family in ('licence', 'penalty')
    and r.doc_no is not null
    and r.authority_uscc is not null
group by r.entity_id, r.kind, r.authority_uscc, r.doc_no
having min(o.from_platform) <> max(o.from_platform)
