-- Settled data for the bench: $entities from $first on, six records each, in the shape that settling
-- writes: one file per range, sorted by entity, record and version. Kinds are as frequent as in a
-- province at work; all numbers follow from the entity's, so every run measures the same rows.
with e as (
    select range as entity_id from range($first, $last)
),
r as (
    select e.entity_id, s.slot, (e.entity_id * 7919 + s.slot * 104729 + (e.entity_id // 97) * 31) % 1000003 as n
    from e cross join (select range as slot from range(6)) as s
),
k as (
    select
        r.*,
        case
            when slot = 0 then 'registration'
            when slot = 1 then 'annual_report'
            when slot = 2 then 'tax_grade'
            when slot = 3 then case when n % 2 = 0 then 'licence' when n % 7 = 1 then 'industry_grade' else 'inspection' end
            when slot = 4 then case n % 10 when 0 then 'penalty' when 1 then 'penalty' when 2 then 'honour' when 3 then 'donation' when 4 then 'voluntary_commitment' when 5 then 'commitment' when 6 then 'labour_grade' else 'inspection' end
            else case n % 20 when 0 then 'penalty' when 1 then 'abnormal_list' when 2 then 'severe_list' when 3 then 'judgment_debtor' when 4 then 'tax_arrears' when 5 then 'contract' when 6 then 'wage_arrears' when 7 then 'tax_grade' else 'approval' end
        end as kind,
        cast(date '2018-06-01' + cast((n * 37) % 1400 as integer) as date) as decided_on
    from r
)
select
    entity_id,
    bench_code(entity_id) as uscc,
    md5(cast(entity_id * 10 + slot as varchar)) as record_id,
    cast(1 as integer) as version,
    cast(1 as bigint) as known_from,
    cast(null as bigint) as known_to,
    cast(decided_on as timestamp) + interval 9 hour as source_time,
    case kind when 'registration' then 'amr.reg' when 'annual_report' then 'amr.annual' when 'tax_grade' then 'tax.grade'
        when 'licence' then 'cult.licence' when 'penalty' then 'cult.penalty' when 'labour_grade' then 'hrss.labour' when 'industry_grade' then 'cult.rating' else 'other.' || kind end as dataset,
    case when kind in ('tax_grade', 'industry_grade', 'labour_grade') then 'rating'
        when kind in ('abnormal_list', 'severe_list', 'judgment_debtor') then 'listing'
        when kind in ('tax_arrears', 'wage_arrears', 'contract') then 'obligation'
        when kind in ('licence', 'approval') then 'licence'
        when kind in ('honour', 'donation') then 'honour'
        when kind in ('commitment', 'voluntary_commitment') then 'commitment'
        when kind = 'annual_report' then 'annual' when kind = 'inspection' then 'supervision' else kind end as family,
    kind,
    case kind
        when 'registration' then case when n % 50 = 0 then 'suspended' else 'active' end
        when 'annual_report' then case n % 20 when 0 then 'late' when 1 then 'not_filed' else 'on_time' end
        when 'tax_grade' then case n % 10 when 0 then 'C' when 1 then 'D' when 2 then 'A' when 3 then 'A' when 4 then 'B' else 'M' end
        when 'penalty' then case n % 3 when 0 then 'minor' when 1 then 'general' else 'serious' end
        when 'inspection' then case when n % 5 = 0 then 'failed' else 'passed' end
        when 'labour_grade' then case n % 3 when 0 then 'A' when 1 then 'B' else 'C' end
        when 'industry_grade' then case n % 4 when 0 then 'best' when 1 then 'good' when 2 then 'medium' else 'poor' end
        when 'honour' then case n % 4 when 0 then 'national' when 1 then 'provincial' when 2 then 'city' else 'county' end
        when 'commitment' then case when n % 6 = 0 then 'broken' else 'fulfilled' end
        when 'voluntary_commitment' then 'open'
        when 'tax_arrears' then 'open' when 'wage_arrears' then 'open' when 'contract' then 'breached'
        when 'licence' then 'active' when 'approval' then 'active' else '-' end as level,
    'source' as level_by,
    decided_on,
    decided_on as valid_from,
    case when n % 3 = 0 then cast(decided_on + cast(n % 900 + 30 as integer) as date) end as valid_until,
    case when kind = 'penalty' then cast(decided_on + 1096 as date) end as publicity_until,
    'unconditional' as share,
    case when n % 97 = 0 then 'disputed' else 'in_force' end as status,
    cast(null as date) as status_on,
    cast(n * 100 as bigint) as amount_fen,
    cast(null as bigint) as quantity,
    '文〔' || cast(2018 + n % 4 as varchar) || '〕' || cast(n as varchar) || '号' as doc_no,
    '事项' || cast(n % 5000 as varchar) as title,
    '11410481005458125T' as authority_uscc,
    cast(decided_on + 5 as date) as received_on,
    cast(1 as bigint) as stage_n,
    entity_id * 10 + slot as row_no,
    md5('row' || cast(entity_id * 10 + slot as varchar)) || md5(cast(n as varchar)) as row_sha
from k
order by entity_id, record_id, version
