"""Trino's functions of arrays and maps, and what else needs care with nulls, as DuckDB macros."""

from __future__ import annotations

MACROS = (
    """CREATE MACRO athena_short(s, n) AS CASE
         WHEN length(s) > n
           THEN athena_raise('INVALID_CAST_ARGUMENT: Value ' || s || ' cannot be represented as varchar(' || n
                             || ')', s)
         ELSE s END""",
    "CREATE MACRO athena_has_null(a) AS len(list_filter(a, lambda e: e IS NULL)) > 0",
    "CREATE MACRO athena_array_max(a) AS CASE WHEN athena_has_null(a) THEN NULL ELSE list_max(a) END",
    "CREATE MACRO athena_array_min(a) AS CASE WHEN athena_has_null(a) THEN NULL ELSE list_min(a) END",
    """CREATE MACRO athena_contains(a, x) AS CASE
         WHEN a IS NULL OR x IS NULL THEN NULL
         WHEN list_contains(a, x) THEN true
         WHEN athena_has_null(a) THEN NULL
         ELSE false END""",
    """CREATE MACRO athena_distinct(a) AS
         list_filter(a, lambda e, i: len(list_filter(a[1:i - 1], lambda o: o IS NOT DISTINCT FROM e)) = 0)""",
    """CREATE MACRO athena_holds(a, x) AS len(list_filter(a, lambda o: o IS NOT DISTINCT FROM x)) > 0""",
    """CREATE MACRO athena_array_intersect(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE
         list_filter(athena_distinct(a), lambda e: athena_holds(b, e)) END""",
    """CREATE MACRO athena_array_except(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE
         list_filter(athena_distinct(a), lambda e: NOT athena_holds(b, e)) END""",
    """CREATE MACRO athena_array_union(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE
         athena_distinct(list_concat(a, b)) END""",
    """CREATE MACRO athena_array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE
         CAST(coalesce(list_position(a, x), 0) AS BIGINT) END""",
    """CREATE MACRO athena_array_remove(a, x) AS CASE WHEN x IS NULL THEN NULL ELSE
         list_filter(a, lambda e: e IS DISTINCT FROM x) END""",
    """CREATE MACRO athena_arrays_overlap(a, b) AS CASE
         WHEN a IS NULL OR b IS NULL THEN NULL
         WHEN len(list_filter(a, lambda e: e IS NOT NULL AND athena_holds(b, e))) > 0 THEN true
         WHEN athena_has_null(a) OR athena_has_null(b) THEN NULL
         ELSE false END""",
    """CREATE MACRO athena_any_match(m) AS CASE
         WHEN m IS NULL THEN NULL WHEN list_contains(m, true) THEN true WHEN athena_has_null(m) THEN NULL
         ELSE false END""",
    """CREATE MACRO athena_all_match(m) AS CASE
         WHEN m IS NULL THEN NULL WHEN list_contains(m, false) THEN false WHEN athena_has_null(m) THEN NULL
         ELSE true END""",
    "CREATE MACRO athena_none_match(m) AS NOT athena_any_match(m)",
    """CREATE MACRO athena_slice(a, start, n) AS CASE
         WHEN start = 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1', a)
         WHEN n < 0 THEN athena_raise('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0', a)
         WHEN start > 0 THEN a[start:start + n - 1]
         WHEN -start > len(a) THEN a[1:0]
         ELSE a[len(a) + start + 1:len(a) + start + n] END""",
    """CREATE MACRO athena_repeat(x, n) AS list_transform(range(CASE WHEN n < 0
         THEN athena_raise('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal '
                           || 'to 0', n) ELSE n END), lambda i: x)""",
    "CREATE MACRO athena_sequence(a, b) AS generate_series(a, b, CASE WHEN a > b THEN -1 ELSE 1 END)",
    """CREATE MACRO athena_map_at(m, k) AS CASE
         WHEN m IS NULL OR k IS NULL THEN NULL
         WHEN NOT map_contains(m, k)
           THEN athena_raise('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k, m[k])
         ELSE m[k] END""",
    """CREATE MACRO athena_map_entries(m) AS
         list_transform(map_entries(m), lambda e: {'field0': e.key, 'field1': e.value})""",
    """CREATE MACRO athena_cbrt(x) AS CASE
         WHEN x IS NULL OR x = 0 OR NOT isfinite(x) THEN x
         ELSE cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / (3 * cbrt(x) * cbrt(x)) END""",
)
