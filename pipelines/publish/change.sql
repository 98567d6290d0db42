-- model:   change
-- What of a scored run differs from what is published, entity by entity: the statements that this
-- release makes. An entity that is no longer graded, or withheld, is retracted. Under a new epoch,
-- after a restore, everything is stated again, because receivers may hold versions we no longer know.
-- inputs:  scored, published, release, withheld, successor
-- grain:   uscc
-- columns:
--   change_id         VARCHAR  policy/uscc/version: the id a receiver keeps one record of
--   kind              VARCHAR  grade, correction or retraction
--   change            VARCHAR  why: new, changed, corrected, restated, retracted
--   uscc              VARCHAR  unified social credit code
--   version           BIGINT   epoch << 40 | counter; only grows for a policy and entity
--   previous_version  BIGINT   the version this one replaces; null for the first
--   previous_grade    VARCHAR  the grade last published; null where none was
--   previous_score    BIGINT   hundredths of a point
--   name              VARCHAR  of the entity; null in a retraction
--   category          VARCHAR  first two characters of the code
--   division          VARCHAR  administrative division; in a retraction the one last published
--   industry          VARCHAR  industry code; in a retraction the one last published
--   score             BIGINT   hundredths of a point; null in a retraction
--   grade             VARCHAR  null in a retraction
--   rank              INTEGER  1 is the best grade
--   class             VARCHAR  class of the grade
--   trial             BOOLEAN  the result is a trial, not official
--   as_of             DATE     cut-off date of the result
--   corrected_to      DATE     repairs and upheld objections up to this day count
--   policy            VARCHAR  policy id
--   title             VARCHAR  the policy's title
--   evaluation        VARCHAR  kind of evaluation: public or industry
--   maker             VARCHAR  who makes the result
--   wording           VARCHAR  the notice's sentence about what the result is not
--   seal              VARCHAR  hash of the seal the score can be repeated from
--   successor         VARCHAR  of a retraction: the code that the entity was merged into; null: none
with stated as (
    select
        s.uscc, s.name, s.category, s.division, s.industry, s.score, s.grade, s.rank, s.class, s.trial
    from scored as s
    where not exists (select 1 from withheld as w where w.uscc = s.uscc)
),
compared as (
    select
        coalesce(s.uscc, p.uscc)             as uscc,
        s.uscc is null                       as gone,
        p.uscc is null or p.retracted        as fresh,
        coalesce(p.version, 0)               as before,
        p.retracted                          as retracted,
        p.grade                              as previous_grade,
        p.score                              as previous_score,
        s.name                               as name,
        coalesce(s.category, p.category)     as category,
        coalesce(s.division, p.division)     as division,
        coalesce(s.industry, p.industry)     as industry,
        s.score                              as score,
        s.grade                              as grade,
        s.rank                               as rank,
        s.class                              as class,
        coalesce(s.trial, p.trial)           as trial,
        p.as_of = release.as_of              as same_day,
        s.score is distinct from p.score
            or s.grade is distinct from p.grade
            or s.class is distinct from p.class
            or s.trial is distinct from p.trial
            or s.name is distinct from p.name
            or s.division is distinct from p.division
            or s.industry is distinct from p.industry
            or (release.yearly and p.as_of is distinct from release.as_of) as differs,
        p.version < release.first_version    as other_epoch,
        m.successor                          as successor,
        release.*
    from stated as s
    full outer join published as p on p.uscc = s.uscc
    left join successor as m on m.uscc = p.uscc
    cross join release
),
judged as (
    select
        *,
        greatest(before + 1, first_version)  as version,
        case
            when gone and (not retracted or other_epoch) then 'retracted'
            when gone then 'none'
            when fresh then 'new'
            when differs and same_day then 'corrected'
            when differs then 'changed'
            when other_epoch then 'restated'
            else 'none'
        end                                  as change
    from compared
)
select
    cast(policy || '/' || uscc || '/' || version as varchar) as change_id,
    cast(case change
        when 'retracted' then 'retraction'
        when 'corrected' then 'correction'
        when 'restated' then 'correction'
        else 'grade'
    end as varchar)                          as kind,
    cast(change as varchar)                  as change,
    cast(uscc as varchar)                    as uscc,
    cast(version as bigint)                  as version,
    cast(nullif(before, 0) as bigint)        as previous_version,
    cast(previous_grade as varchar)          as previous_grade,
    cast(previous_score as bigint)           as previous_score,
    cast(name as varchar)                    as name,
    cast(category as varchar)                as category,
    cast(division as varchar)                as division,
    cast(industry as varchar)                as industry,
    cast(score as bigint)                    as score,
    cast(grade as varchar)                   as grade,
    cast(rank as integer)                    as rank,
    cast(class as varchar)                   as class,
    cast(trial as boolean)                   as trial,
    cast(as_of as date)                      as as_of,
    cast(corrected_to as date)               as corrected_to,
    cast(policy as varchar)                  as policy,
    cast(title as varchar)                   as title,
    cast(evaluation as varchar)              as evaluation,
    cast(maker as varchar)                   as maker,
    cast(wording as varchar)                 as wording,
    cast(seal as varchar)                    as seal,
    cast(case when change = 'retracted' then successor end as varchar) as successor
from judged
where change <> 'none'
