-- What only scoring needs. Its date arithmetic stands on add_months of dates.sql.

-- The first day on which an act no longer counts, when it counts on a day d while
-- decided_on > add_months(d, -months): the anniversary, or the day after it when that month is too
-- short to have it (29 February).
create or replace macro window_end(decided_on, months) as
    case when add_months(add_months(decided_on, months), -months) < decided_on
         then add_days(add_months(decided_on, months), 1)
         else add_months(decided_on, months) end;

-- Days since 1970-01-01, so that a day and a number can be ranked together.
create or replace macro day_number(day) as cast(day - date '1970-01-01' as bigint);
