-- What each departure of December could have been predicted from: the delays known when it was due, the newest
-- weather at its airport before that, and its plane.
{% set tables = ti.xcom_pull('tables') %}
WITH flights AS (
    SELECT *, from_iso8601_timestamp(scheduled_at) AS due
    FROM "{{ tables['flight_delays'] }}"
    WHERE scheduled_at >= '2013-12-01' AND cancelled = 0 AND NOT is_deleted
),
weather AS (
    SELECT *, from_iso8601_timestamp(observed_at) AS seen
    FROM "{{ tables['airport_weather'] }}"
    WHERE NOT is_deleted
),
planes AS (
    SELECT *, row_number() OVER (PARTITION BY tailnum ORDER BY read_at DESC, write_time DESC) AS newest
    FROM "{{ tables['plane_facts'] }}"
    WHERE NOT is_deleted
)
SELECT
    flights.flight_id,
    flights.carrier_delay_24h_min,
    flights.origin_delay_3h_min,
    weather.temp_change_3h_f,
    weather.low_visibility,
    planes.seats,
    flights.dep_delay_min
FROM flights
LEFT JOIN weather ON weather.origin = flights.origin AND weather.seen = date_trunc('hour', flights.due)
LEFT JOIN planes ON planes.tailnum = flights.tailnum AND planes.newest = 1
