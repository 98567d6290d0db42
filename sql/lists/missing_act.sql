-- model:   missing_act
-- Acts that a platform shows and that no department has sent (应归尽归): licences, penalties and filings of a code
-- under a document number, in force, from a platform alone. Who should have sent one is known from the acts that
-- departments did send under the same authority: the dataset that most of them came by.
-- inputs:  settled_record, dataset_owner
-- grain:   record_id
-- columns:
--   record_id       VARCHAR  of the platform's record
--   uscc            VARCHAR  whom the act is about
--   shown_by        VARCHAR  dataset of the platform
--   dataset         VARCHAR  dataset that should hold it; null: no department ever sent an act of this authority
--   family          VARCHAR  licence or penalty
--   kind            VARCHAR  licence, approval, filing or penalty
--   doc_no          VARCHAR  document number
--   authority_uscc  VARCHAR  code of the authority
--   decided_on      DATE     date of the act
--   received_on     DATE     day on which the platform showed it
with act as (
    select r.*, o.from_platform,
    from settled_record as r
    join dataset_owner as o on o.dataset = r.dataset
    where r.known_to is null
        and r.family in ('licence', 'penalty')
        and r.doc_no is not null
        and r.authority_uscc is not null
),
sent as (
    select authority_uscc, family, dataset, count(*) as acts,
    from act
    where not from_platform
    group by authority_uscc, family, dataset
),
sender as (
    select authority_uscc, family, dataset,
    from (select *, row_number() over (partition by authority_uscc, family order by acts desc, dataset) as place, from sent)
    where place = 1
)
select
    cast(p.record_id as varchar)      as record_id,
    cast(p.uscc as varchar)           as uscc,
    cast(p.dataset as varchar)        as shown_by,
    cast(s.dataset as varchar)        as dataset,
    cast(p.family as varchar)         as family,
    cast(p.kind as varchar)           as kind,
    cast(p.doc_no as varchar)         as doc_no,
    cast(p.authority_uscc as varchar) as authority_uscc,
    cast(p.decided_on as date)        as decided_on,
    cast(p.received_on as date)       as received_on,
from act as p
left join sender as s on s.authority_uscc = p.authority_uscc and s.family = p.family
where p.from_platform
    and p.status = 'in_force'
    and not exists (
        select 1
        from act as d
        where not d.from_platform
            and d.entity_id = p.entity_id
            and d.kind = p.kind
            and d.authority_uscc = p.authority_uscc
            and d.doc_no = p.doc_no
    )
