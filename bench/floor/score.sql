-- The floor of a night: one decayed sum by lead over every event, in floating point, with the shipped indexes.
-- CAST, because a bare 2.0 is NUMERIC on PostgreSQL and twenty times slower; DOUBLE PRECISION is float8.
SELECT COUNT(*), SUM(score)
FROM (
    SELECT lead_id, SUM(weight * power(CAST(2.0 AS DOUBLE PRECISION), (occurred_at - :now) / CAST(1209600000000 AS DOUBLE PRECISION))) AS score
    FROM event
    GROUP BY lead_id
) AS scores
