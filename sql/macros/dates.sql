-- Date arithmetic. Engines differ here, so models call these and nothing else.

-- The day n months after d (before, when n is negative); the day of the month is clamped to the month's end.
create or replace macro add_months(d, n) as cast(d + to_months(cast(n as integer)) as date);

-- The day n days after d.
create or replace macro add_days(d, n) as cast(d + cast(n as integer) as date);

-- Whole months from a to b: 31 January to 1 February is none.
create or replace macro whole_months(a, b) as datesub('month', a, b);

-- An end as sources write it that never comes: 2099-12-31 and anything later.
create or replace macro open_end(d) as case when d < date '2099-12-31' then d end;

-- The last day of a validity, inclusive as sources write it, becomes the first day on which it no longer holds.
create or replace macro day_after(d) as case when d < date '2099-12-31' then cast(d + 1 as date) end;
