"""Trino's functions of JSON, arrays, maps, rows, texts and times mean here what they mean in Athena."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.local_aws.athena.python_functions import double_text
from festaf.local_aws.cloud import Cloud
from tests.local_aws.athena import Athena

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def athena() -> Iterator[Athena]:
    made = Athena.on(Cloud())
    made.flights()
    yield made
    made.service.close()


JSON: dict[str, str | None] = {
    """json_extract_scalar('{"a": {"b": 1.50}}', '$.a.b')""": "1.50",
    """json_extract_scalar('{"a": [1, "x"]}', '$.a[1]')""": "x",
    """json_extract_scalar('{"a b": true}', '$["a b"]')""": "true",
    """json_extract_scalar('{"a": [1]}', '$.a')""": None,
    """json_extract_scalar('{"a": null}', '$.a')""": None,
    """json_extract_scalar('not json', '$.a')""": None,
    """json_extract_scalar(json_extract('{"a": {"b": 2}}', '$.a'), '$.b')""": "2",
    """json_extract('{"a": [1, {"c": "é"}]}', '$.a')""": '[1,{"c":"é"}]',
    """json_parse('{"b": 1, "a": 2}')""": '{"a":2,"b":1}',
    """json_format(json_parse('[1, null]'))""": "[1,null]",
    "json_array_length('[1, 2, 3]')": "3",
    "json_array_length('{}')": None,
    """json_array_contains('["a", 1]', 'a')""": "true",
    "json_array_contains('[1, 2]', 3)": "false",
    """json_size('{"a": [1, 2]}', '$.a')""": "2",
    """cast(json_extract('{"a": 3}', '$.a') AS bigint) / 2""": "1",
    """cast(json_parse('"5"') AS bigint)""": "5",
    "cast(json_parse('[1, 2]') AS array(bigint))": "[1, 2]",
    """cast(json_parse('{"a": 1.5}') AS map(varchar, double))""": "{a=1.5}",
    "try_cast(json_parse('[1]') AS bigint)": None,
}
LAMBDAS: dict[str, str | None] = {
    "transform(array[5, 6], x -> x / 2)": "[2, 3]",
    "transform(array[1.5e0], x -> x / 2)": "[0.75]",
    "transform(array['a'], x -> upper(x) || 'z')": "[Az]",
    "transform(array[array[1, 2], array[3]], x -> transform(x, y -> y / 2))": "[[0, 1], [1]]",
    "transform(array[date '2013-01-01'], d -> date_add('day', 1, d))": "[2013-01-02]",
    "transform(array[1, 2], x -> x)[2]": "2",
    "transform(array[array[1, 2]], x -> x[2])": "[2]",
    "filter(array[1, null, 3], x -> x > 1)": "[3]",
    "reduce(array[1, 2, 3], 0, (s, x) -> s + x, s -> s)": "6",
    "reduce(array[1.5e0, 2.5e0], 0e0, (s, x) -> s + x, s -> s / 2)": "2.0",
    "any_match(array[1, 2], x -> x > 1)": "true",
    "any_match(array[1, null], x -> x > 5)": None,
    "all_match(array[1, 2], x -> x > 1)": "false",
    "all_match(array[1, null], x -> x > 0)": None,
    "none_match(array[1, 2], x -> x > 5)": "true",
    "zip_with(array[1, 2], array[10, 20], (x, y) -> x + y)": "[11, 22]",
    "zip_with(array[1, 2], array['a'], (n, s) -> coalesce(s, 'none'))": "[a, none]",
    "map_filter(map(array['a', 'b'], array[1, 2]), (k, v) -> v > 1)": "{b=2}",
    "transform_values(map(array['a'], array[4]), (k, v) -> v / 3)": "{a=1}",
}
ARRAYS: dict[str, str | None] = {
    "contains(array[1, 2], 2)": "true",
    "contains(array[1, null], 2)": None,
    "cardinality(array[1, 2])": "2",
    "array_distinct(array[2, 1, 2, null, null])": "[2, 1, null]",
    "array_intersect(array[1, 2], array[2, 3])": "[2]",
    "array_union(array[1, 2], array[2, 3])": "[1, 2, 3]",
    "array_except(array[1, 2, 1], array[2, 3])": "[1]",
    "array_join(array['a', null, 'b'], '-')": "a-b",
    "array_join(array['a', null, 'b'], '-', 'x')": "a-x-b",
    "array_max(array[1, 3, 2])": "3",
    "array_max(array[1, null])": None,
    "array_min(array[3, null])": None,
    "array_position(array[1, 2], 2)": "2",
    "array_position(array[1, 2], 5)": "0",
    "array_remove(array[1, null, 2, 1], 1)": "[null, 2]",
    "array_sort(array[2, null, 1])": "[1, 2, null]",
    "arrays_overlap(array[1], array[1, 2])": "true",
    "arrays_overlap(array[1, null], array[2])": None,
    "flatten(array[array[1], array[2, 3]])": "[1, 2, 3]",
    "repeat(1, 3)": "[1, 1, 1]",
    "slice(array[1, 2, 3, 4], 2, 2)": "[2, 3]",
    "slice(array[1, 2, 3, 4], -2, 2)": "[3, 4]",
    "slice(array[1, 2], 5, 2)": "[]",
    "slice(array[1, 2], -5, 2)": "[]",
    "sequence(5, 1, -2)": "[5, 3, 1]",
    "sequence(3, 1)": "[3, 2, 1]",
    "sequence(date '2013-01-01', date '2013-01-03')": "[2013-01-01, 2013-01-02, 2013-01-03]",
    "sequence(date '2013-01-01', date '2013-03-01', interval '1' month)": "[2013-01-01, 2013-02-01, 2013-03-01]",
    "concat(array[1], array[2])": "[1, 2]",
    "element_at(array[1, 2], -1)": "2",
    "array[7, 8][1 + 1]": "8",
    "array[1, 2] = array[1, 2]": "true",
    "map(array['a', 'b'], array[1, 2])": "{a=1, b=2}",
    "map()": "{}",
    "map(array['a', 'b'], array[1, 2])['b']": "2",
    "map(array[1, 2], array['a', 'b'])[2]": "b",
    "element_at(map(array['a'], array[1]), 'z')": None,
    "map_keys(map(array['a', 'b'], array[1, 2]))": "[a, b]",
    "map_values(map(array['a', 'b'], array[1, 2]))": "[1, 2]",
    "map_entries(map(array['a'], array[1]))": "[{field0=a, field1=1}]",
    "map_from_entries(array[row('a', 1), row('b', 2)])": "{a=1, b=2}",
    "map_concat(map(array['a'], array[1]), map(array['a'], array[2]))": "{a=2}",
    "cardinality(map(array['a', 'b'], array[1, 2]))": "2",
    "row(1, 'a')": "{field0=1, field1=a}",
    "cast(row(1.5e0, 'a') AS row(x bigint, y varchar))": "{x=2, y=a}",
    "row(1, 2) < row(1, 3)": "true",
}
SCALARS: dict[str, str | None] = {
    "length('héllo')": "5",
    "lpad('a', 3, 'xy')": "xya",
    "position('b' IN 'abc')": "2",
    "split('a,b,c', ',')": "[a, b, c]",
    "codepoint('é')": "233",
    "chr(233)": "é",
    "concat_ws(',', 'a', null, 'b')": "a,b",
    "translate('abc', 'ab', 'xy')": "xyc",
    "reverse('añb')": "bña",
    "to_hex(md5(to_utf8('a')))": "0CC175B9C0F1B6A831C399E269772661",
    "from_utf8(from_base64(to_base64(to_utf8('é'))))": "é",
    "regexp_extract_all('1a22b', '([0-9]+)([a-z])', 2)": "[a, b]",
    "regexp_split('a1b2c', '[0-9]')": "[a, b, c]",
    "regexp_count('1a2b', '[0-9]')": "2",
    "'a' = 'a '": "false",
    "bitwise_and(12, 10)": "8",
    "bitwise_xor(12, 10)": "6",
    "cbrt(27)": "3.0",
    "is_finite(infinity())": "false",
    "round(2.5)": "3",
    "1.5 * 1.25": "1.875",
    "1.10 + 2.2": "3.30",
    "cast(1.005 AS decimal(10, 2))": "1.01",
    "cast(-1234.5e0 AS varchar)": "-1.2345E3",
    "cast(infinity() AS varchar)": "Infinity",
    "cast(array[1, 2] AS array(varchar))": "[1, 2]",
    "try(cast('x' AS bigint))": None,
    "coalesce(try(cast('x' AS bigint)), 5)": "5",
    "try(array[1][5])": None,
    "2 NOT IN (1, null)": None,
    "millisecond(timestamp '2013-01-01 05:06:07.891')": "891",
    "yow(date '2012-12-31')": "2013",
    "year_of_week(date '2012-12-31')": "2013",
    "last_day_of_month(date '2013-02-06')": "2013-02-28",
    "to_iso8601(date '2013-01-01')": "2013-01-01",
    "to_iso8601(timestamp '2013-01-01 05:06:07')": "2013-01-01T05:06:07.000",
    "to_iso8601(from_iso8601_timestamp('2013-01-01T05:06:07Z'))": "2013-01-01T05:06:07.000Z",
    "date_format(timestamp '2013-01-31 15:06:07', '%W %e %b %y %h:%i:%s %p')": "Thursday 31 Jan 13 03:06:07 PM",
    "date_format(timestamp '2013-01-05 05:06:07', '%c/%e %k:%i')": "1/5 5:06",
    "format_datetime(timestamp '2013-01-31 15:06:07', 'EEE, dd MMM yyyy hh:mm a')": "Thu, 31 Jan 2013 03:06 PM",
    "with_timezone(timestamp '2013-01-01 05:00:00', 'UTC')": "2013-01-01 05:00:00.000 UTC",
    "at_timezone(from_iso8601_timestamp('2013-01-01T05:00:00Z'), 'UTC')": "2013-01-01 05:00:00.000 UTC",
}
SINGLE = {**JSON, **LAMBDAS, **ARRAYS, **SCALARS}


@pytest.mark.parametrize("expression", SINGLE)
def test_an_expression_is_worth_what_trino_says(athena: Athena, expression: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[SINGLE[expression]]]


QUERIES: dict[str, str | None] = {
    "SELECT n / 2 FROM UNNEST(array[5]) WITH ORDINALITY AS t(x, n)": "0",
    "SELECT x / 2 FROM UNNEST(array[5e0]) WITH ORDINALITY AS t(x, n)": "2.5",
    "SELECT v / 2 FROM UNNEST(map(array['a'], array[5])) AS t(k, v)": "2",
    "SELECT array_agg(k || cast(v AS varchar) ORDER BY k) FROM UNNEST(map(array['a', 'b'], array[1, 2])) AS t(k, v)": (
        "[a1, b2]"
    ),
    "SELECT array_agg(coalesce(b, 'none') ORDER BY a) FROM UNNEST(array[1, 2], array['x']) AS t(a, b)": "[x, none]",
    "SELECT array_agg(code ORDER BY n) FROM flights CROSS JOIN UNNEST(codes) WITH ORDINALITY AS t(code, n)": "[1, 2]",
    "SELECT count(*) FROM flights LEFT JOIN UNNEST(codes) AS t(code) ON true": "4",
    "SELECT count(*) FROM flights LEFT JOIN UNNEST(codes) WITH ORDINALITY AS t(code, n) ON true": "4",
    "SELECT array_agg(id * 10 + code ORDER BY id) FROM flights, UNNEST(codes) t(code)": "[11, 12]",
    "SELECT codes[id] FROM flights WHERE id = 1": "1",
    "SELECT x[i] FROM (VALUES (array[7, 8], 2)) t(x, i)": "8",
    "SELECT m[2] FROM (SELECT map_agg(k, v) m FROM (VALUES (1, 'a'), (2, 'b')) t(k, v)) s": "b",
    "SELECT histogram(x)['a'] FROM (VALUES 'a', 'a', 'b') t(x)": "2",
    "SELECT listagg(x, '-') WITHIN GROUP (ORDER BY x DESC) FROM (VALUES 'a', 'b') t(x)": "b-a",
    "SELECT approx_percentile(x, array[0.25, 0.75]) FROM (VALUES 1, 2, 3, 4) t(x)": "[1, 3]",
    "SELECT array_agg(x ORDER BY x DESC) FROM (VALUES 1, null, 3) t(x)": "[3, 1, null]",
    "SELECT array_agg(x ORDER BY x) FROM (VALUES 1, null, 3) t(x)": "[1, 3, null]",
    "SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 2, 3) t(x) "
    "ORDER BY 1 DESC LIMIT 1": "5",
    "SELECT max(x) FILTER (WHERE x < 3) FROM (VALUES 1, 2, 3) t(x)": "2",
    "SELECT count(*) FROM flights WHERE \"$path\" LIKE 's3://bucket/flights/%'": "3",
    'SELECT count(DISTINCT f."$path") FROM flights f JOIN seats s ON f.id = s.id': "1",
    "SELECT json_extract_scalar(j, '$.n') FROM (SELECT '{\"n\": ' || cast(id AS varchar) || '}' AS j FROM flights) "
    "ORDER BY 1 DESC LIMIT 1": "3",
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_answers_what_trino_would(athena: Athena, sql: str) -> None:
    assert athena.rows(sql) == [[QUERIES[sql]]]


REASONS = {
    "SELECT json_parse('nope')": "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: 'nope'",
    "SELECT cast(json_parse('[1]') AS bigint)": "INVALID_CAST_ARGUMENT: Cannot cast to bigint. [1]",
    "SELECT cast(json_parse('1') AS array(bigint))": "INVALID_CAST_ARGUMENT: Cannot cast to array(bigint)",
    "SELECT map(array['a'], array[1])['z']": "INVALID_FUNCTION_ARGUMENT: Key not present in map: z",
    "SELECT slice(array[1], 0, 1)": "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1",
    "SELECT repeat(1, -1)": "INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than",
    "SELECT cast(123 AS varchar(2))": "INVALID_CAST_ARGUMENT: Value 123 cannot be represented as varchar(2)",
    "SELECT cast(' 1' AS bigint)": "INVALID_CAST_ARGUMENT: Cannot cast ' 1' to bigint",
    "SELECT transform(array['a'], x -> x + 1)": "TYPE_MISMATCH: line 1:39: Cannot apply operator: varchar + integer",
    "SELECT transform(array[1], x -> x / 0)": "DIVISION_BY_ZERO",
}


@pytest.mark.parametrize("sql", REASONS)
def test_a_wrong_query_fails_as_athena_words_it(athena: Athena, sql: str) -> None:
    assert athena.reason(sql).startswith(REASONS[sql])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT json_extract('{\"a\": 1.50}', '$.a')",
        "SELECT json_extract_scalar('{}', '$..a')",
        "SELECT json_extract_scalar(carrier, carrier) FROM flights",
        "SELECT cast(json_parse('1.5') AS bigint)",
        "SELECT json_format('1')",
        "SELECT reduce(array['a'], 0, (s, x) -> s + length(x), s -> s)",
        "SELECT transform(array[1.50], x -> x)",
        "SELECT strpos('abcabc', 'b', 2)",
        "SELECT split('a,b,c', ',', 2)",
        "SELECT round(2.567, 2)",
        "SELECT width_bucket(5, 0, 10, 5)",
        'SELECT *, "$path" FROM flights',
        "SELECT cast(cast(1.5e0 AS real) AS varchar)",
        "SELECT with_timezone(timestamp '2013-01-01 05:00:00', 'Asia/Tokyo')",
    ],
)
def test_what_would_be_answered_differently_is_refused(athena: Athena, sql: str) -> None:
    assert athena.reason(sql).startswith("NOT_SUPPORTED: ")


def test_a_result_of_type_json_says_so_and_becomes_no_column_of_a_table(athena: Athena) -> None:
    found = athena.results("SELECT json_parse('[1]') AS j, 'x' AS x")["ResultSetMetadata"]["ColumnInfo"]
    assert [column["Type"] for column in found] == ["json", "varchar"]
    assert athena.reason("CREATE TABLE t AS SELECT json_parse('[1]') AS j") == (
        "NOT_SUPPORTED: Unsupported Hive type: json"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0E0"), (-0.0, "-0.0E0"), (1.0, "1.0E0"), (0.001, "1.0E-3"), (1e22, "1.0E22"), (1e-7, "1.0E-7")],
)
def test_doubles_become_varchar_as_in_trino(value: float, text: str) -> None:
    assert double_text(value) == text
