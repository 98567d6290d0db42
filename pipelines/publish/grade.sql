-- model:   grade
-- What is published after a release: the statements it makes, and of the others what stood before.
-- A retracted entity stays as a row without a result, because its version must go on growing.
-- inputs:  change, published
-- grain:   uscc
-- columns:
--   uscc          VARCHAR  unified social credit code
--   version       BIGINT   of the newest statement
--   retracted     BOOLEAN  the newest statement is a retraction
--   name          VARCHAR  of the entity
--   category      VARCHAR  first two characters of the code
--   division      VARCHAR  administrative division
--   industry      VARCHAR  industry code
--   score         BIGINT   hundredths of a point
--   grade         VARCHAR  published grade; null when retracted
--   rank          INTEGER  1 is the best grade
--   class         VARCHAR  class of the grade
--   trial         BOOLEAN  the result is a trial, not official
--   as_of         DATE     cut-off date of the newest statement
--   corrected_to  DATE     second clock of the newest statement
--   policy        VARCHAR  policy id
--   title         VARCHAR  the policy's title
--   evaluation    VARCHAR  kind of evaluation: public or industry
--   maker         VARCHAR  who makes the result
--   wording       VARCHAR  the notice's sentence about what the result is not
--   seal          VARCHAR  hash of the seal the score can be repeated from
select
    cast(c.uscc as varchar)               as uscc,
    cast(c.version as bigint)             as version,
    cast(c.kind = 'retraction' as boolean) as retracted,
    cast(c.name as varchar)               as name,
    cast(c.category as varchar)           as category,
    cast(c.division as varchar)           as division,
    cast(c.industry as varchar)           as industry,
    cast(c.score as bigint)               as score,
    cast(c.grade as varchar)              as grade,
    cast(c.rank as integer)               as rank,
    cast(c.class as varchar)              as class,
    cast(c.trial as boolean)              as trial,
    cast(c.as_of as date)                 as as_of,
    cast(c.corrected_to as date)          as corrected_to,
    cast(c.policy as varchar)             as policy,
    cast(c.title as varchar)              as title,
    cast(c.evaluation as varchar)         as evaluation,
    cast(c.maker as varchar)              as maker,
    cast(c.wording as varchar)            as wording,
    cast(c.seal as varchar)               as seal
from change as c
union all
select
    p.uscc, p.version, p.retracted, p.name, p.category, p.division, p.industry, p.score, p.grade, p.rank,
    p.class, p.trial, p.as_of, p.corrected_to, p.policy, p.title, p.evaluation, p.maker, p.wording, p.seal
from published as p
where not exists (select 1 from change as c where c.uscc = p.uscc)
