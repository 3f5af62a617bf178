"""Functions of Trino that DuckDB does not have, or has with another meaning, as DuckDB macros."""

MACROS = (
    # DuckDB's error() cannot stand inside TRY: a cast that fails can. The sample says the type.
    "CREATE MACRO athena_raise(message, sample) AS list_extract([sample], CAST(message AS BIGINT))",
    # A start of zero, or one before the text, gives nothing in Trino; PostgreSQL and DuckDB count on.
    """CREATE MACRO athena_substr(s, start, n) AS CASE
         WHEN start = 0 OR start < -length(s) OR n <= 0 THEN CASE WHEN s IS NULL OR n IS NULL THEN NULL ELSE '' END
         ELSE substring(s, start, n) END""",
    """CREATE MACRO athena_split_part(s, delimiter, n) AS CASE
         WHEN n <= 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero', s)
         WHEN n > len(string_split(s, delimiter)) THEN NULL
         ELSE split_part(s, delimiter, n) END""",
    "CREATE MACRO athena_regexp_extract(s, p, g) AS "
    "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) ELSE NULL END",
    """CREATE MACRO athena_subscript(a, i) AS CASE
         WHEN a IS NULL OR i IS NULL THEN NULL
         WHEN i = 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1', a[1])
         WHEN i < 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i, a[1])
         WHEN i > len(a) THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to '
                                           || 'array length: ' || i || ' > ' || len(a), a[1])
         ELSE list_extract(a, i) END""",
    # Trino keeps an offset and reckons hours in it; DuckDB reckons in UTC.
    r"""CREATE MACRO athena_from_iso8601(s) AS CASE
         WHEN regexp_matches(s, 'T.*[+-]\d\d(:?\d\d)?$') AND NOT regexp_matches(s, '[+-]00(:?00)?$')
           THEN athena_raise('NOT_SUPPORTED: an offset other than UTC in ''' || s
                      || ''' is not supported by the local Athena', CAST(NULL AS TIMESTAMPTZ))
         WHEN NOT regexp_full_match(s, '[+-]?\d{4,}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]00(:?00)?)?)?')
           THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"', CAST(NULL AS TIMESTAMPTZ))
         ELSE CAST(replace(rtrim(s, 'Z'), 'T', ' ')
              || CASE WHEN regexp_full_match(s, '.*T\d\dZ?') THEN ':00' ELSE '' END AS TIMESTAMPTZ) END""",
    r"""CREATE MACRO athena_is_number(s) AS regexp_full_match(s, '[+-]?\d+')""",
    r"""CREATE MACRO athena_is_moment(s) AS regexp_full_match(trim(s),
         '[+-]?\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?( ?(UTC|Z|[+-]00:00))?')""",
    r"""CREATE MACRO athena_is_date(s) AS regexp_full_match(trim(s), '[+-]?\d{4,}-\d{1,2}-\d{1,2}')""",
    """CREATE MACRO athena_bad_cast(s, kind, sample) AS
         athena_raise('INVALID_CAST_ARGUMENT: Cannot cast ''' || s || ''' to ' || kind, sample)""",
    # DuckDB has equal widths only.
    """CREATE MACRO athena_width_bucket(x, bins) AS CASE
         WHEN x IS NULL OR bins IS NULL THEN NULL
         WHEN isnan(CAST(x AS DOUBLE)) THEN athena_raise('INVALID_FUNCTION_ARGUMENT: operand cannot be NaN', 0)
         WHEN len(bins) = 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array', 0)
         WHEN bins <> list_sort(bins) THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Bin values are not sorted', 0)
         ELSE len(list_filter(bins, lambda bin: bin <= CAST(x AS DOUBLE))) END""",
)
