-- model:   entity_without_grade
-- Results without a grade: a total that no band holds.
-- inputs:  grade
-- grain:   uscc
-- columns:
--   uscc   VARCHAR  the entity
--   score  BIGINT   hundredths of a point
select
    cast(g.uscc as varchar)  as uscc,
    cast(g.score as bigint)  as score
from grade as g
where g.grade is null or g.class is null
