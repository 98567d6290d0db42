-- Whole numbers only: amounts in fen, points in hundredths.

-- a / b rounded half up, for a >= 0; null where b is 0.
create or replace macro div_round(a, b) as cast((2 * a + b) // nullif(2 * b, 0) as bigint);

-- x held between lo and hi; a bound that is null does not hold.
create or replace macro clamp(x, lo, hi) as case when x < lo then lo when x > hi then hi else x end;
