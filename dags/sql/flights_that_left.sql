-- The flights that left, each at the time when it was due: what is to be predicted, and from when on nothing may be known.
SELECT flight_id, carrier, origin, tailnum, distance_mi, dep_delay_min, scheduled_at AS due
FROM {{ ti.xcom_pull('flights_table') }}
WHERE cancelled = 0 AND NOT is_deleted
