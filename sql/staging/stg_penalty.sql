-- model:   stg_penalty
-- Administrative penalties. A severity that the source gives stands; else it is derived from the penalty
-- categories by the severity rules in force on the day of decision (Order 36; before it our own reading),
-- those of the department before the general ones. The gravest category decides. A simple procedure is read as
-- a category of its own, 简易程序, which only a serious one outweighs. Publicity ends with the source's own last
-- day or the longest period of the rule of that day, whichever is earlier.
-- inputs:  staged, severity_rule, publicity_rule
-- grain:   dataset, stage_n, row_no
-- columns:
--   uscc             VARCHAR    code of the entity the row is about
--   name             VARCHAR    name as this row gives it
--   record_id        VARCHAR    32 hex digits from dataset and record key
--   source_time      TIMESTAMP  when the source wrote the row, Shanghai wall time
--   dataset          VARCHAR    dataset id
--   family           VARCHAR    penalty
--   kind             VARCHAR    penalty
--   level            VARCHAR    minor, general or serious
--   level_by         VARCHAR    source, or the id of the rule that derived it; - where no rule fits
--   decided_on       DATE       decision
--   valid_from       DATE       null
--   valid_until      DATE       null
--   publicity_until  DATE       first day on which sharing must have stopped; null: no rule
--   share            VARCHAR    unconditional, conditional or none
--   status           VARCHAR    in_force: marks change it later
--   status_on        DATE       null
--   amount_fen       BIGINT     fine and confiscated values together
--   quantity         BIGINT     null
--   doc_no           VARCHAR    decision document number
--   title            VARCHAR    type of violation; the facts where no type is given
--   authority_uscc   VARCHAR    code of the authority
--   received_on      DATE       day it was staged
--   stage_n          BIGINT     log entry of the stage chain
--   row_no           BIGINT     row within that entry
--   row_sha          VARCHAR    of the canonical values

with penalised as (
    select *, from staged where op <> 'D'
),
-- What the sources say, each wording once: there are far fewer of them than penalties.
wording as (
    select distinct
        department, decided_on, coalesce(penalty_category, '') as penalty_category, coalesce(simple_procedure, false) as simple_procedure,
    from penalised
    where level is null
),
category as (
    select w.*, trim(word.word) as category,
    from wording as w
    cross join unnest(regexp_split_to_array(w.penalty_category, '[;；、,，]')) as word(word)
    where trim(word.word) <> '' or w.penalty_category = ''
    union all
    select *, '简易程序' as category, from wording where simple_procedure
),
-- A rule speaks of a category that begins with its word; '*' speaks of what no other rule of its scope speaks of.
spoken as (
    select
        c.*, r.rule, r.level, r.rank,
        row_number() over (
            partition by c.department, c.decided_on, c.penalty_category, c.simple_procedure, c.category
            order by
                case when r.department = c.department then 0 else 1 end,
                case when r.word = '*' then 1 else 0 end,
                r.rank desc,
                r.rule
        ) as place,
    from category as c
    join severity_rule as r
        on (r.department = c.department or r.department is null)
        and (r.word = '*' or starts_with(c.category, r.word))
        and (r.valid_from is null or c.decided_on >= r.valid_from)
        and (r.valid_until is null or c.decided_on < r.valid_until)
),
gravest as (
    select
        department, decided_on, penalty_category, simple_procedure, rule, level,
        row_number() over (
            partition by department, decided_on, penalty_category, simple_procedure
            order by
                case when level = 'serious' then 0 when category = '简易程序' then 1 else 2 end,
                rank desc,
                rule,
                category
        ) as place,
    from spoken
    where place = 1
),
graded as (
    select
        p.*,
        coalesce(p.level, g.level, '-') as graded_level,
        case when p.level is not null then 'source' else coalesce(g.rule, '-') end as graded_by,
    from penalised as p
    left join (select *, from gravest where place = 1) as g
        on g.department = p.department
        and g.decided_on = p.decided_on
        and g.penalty_category = coalesce(p.penalty_category, '')
        and g.simple_procedure = coalesce(p.simple_procedure, false)
),
-- Of the periods in force that day the department's own stands, then the one for this very level.
period as (
    select
        g.department, g.graded_level, g.decided_on,
        add_months(g.decided_on, r.months) as ends_on,
        row_number() over (
            partition by g.department, g.graded_level, g.decided_on
            order by
                case when r.department = g.department then 0 else 1 end,
                case when r.level = '*' then 1 else 0 end,
                r.months desc
        ) as place,
    from (select distinct department, graded_level, decided_on, from graded) as g
    join publicity_rule as r
        on (r.department = g.department or r.department is null)
        and (r.level = g.graded_level or r.level = '*')
        and (r.valid_from is null or g.decided_on >= r.valid_from)
        and (r.valid_until is null or g.decided_on < r.valid_until)
),
publicised as (
    select
        g.*,
        least(l.ends_on, day_after(g.publicity_through)) as shared_until,
    from graded as g
    left join (select *, from period where place = 1) as l
        on l.department = g.department and l.graded_level = g.graded_level and l.decided_on = g.decided_on
)
select
    cast(uscc as varchar)                            as uscc,
    cast(entity_name as varchar)                     as name,
    cast(record_id as varchar)                       as record_id,
    cast(source_time as timestamp)                   as source_time,
    cast(dataset as varchar)                         as dataset,
    cast('penalty' as varchar)                       as family,
    cast(kind as varchar)                            as kind,
    cast(graded_level as varchar)                    as level,
    cast(graded_by as varchar)                       as level_by,
    cast(decided_on as date)                         as decided_on,
    cast(null as date)                               as valid_from,
    cast(null as date)                               as valid_until,
    cast(shared_until as date)                       as publicity_until,
    cast(share as varchar)                           as share,
    cast('in_force' as varchar)                      as status,
    cast(null as date)                               as status_on,
    cast(case when fine_fen is null and confiscated_fen is null then null else coalesce(fine_fen, 0) + coalesce(confiscated_fen, 0) end as bigint) as amount_fen,
    cast(null as bigint)                             as quantity,
    cast(doc_no as varchar)                          as doc_no,
    cast(coalesce(violation_type, title) as varchar) as title,
    cast(authority_uscc as varchar)                  as authority_uscc,
    cast(received_on as date)                        as received_on,
    cast(stage_n as bigint)                          as stage_n,
    cast(row_no as bigint)                           as row_no,
    cast(row_sha as varchar)                         as row_sha,
from publicised
