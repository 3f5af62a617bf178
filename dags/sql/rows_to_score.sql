-- The rows to score as JSON lines, without what came of them.
UNLOAD (
    SELECT
        flight_id, carrier, due, distance_mi,
        carrier_delay_24h_min, carrier_flights_24h, origin_delay_3h_min, origin_flights_3h,
        temp_f, dewpoint_f, humidity_pct, wind_mph, precip_in, pressure_mb, visibility_mi, temp_change_3h_f,
        low_visibility, built_year, seats
    FROM late_flights
    WHERE due >= '{{ params.since }}'
)
TO 's3://{{ var.value.get('festaf_bucket', 'festaf-demo') }}/batch/{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S') }}/input/'
WITH (format = 'JSON', compression = 'NONE')
