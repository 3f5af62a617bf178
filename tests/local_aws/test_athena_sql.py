"""Trino's SQL means here what it means in Athena, or is refused."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from festaf.local_aws.cloud import Cloud
from festaf.local_aws.service import ApiError
from tests.local_aws.athena import Athena

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def athena() -> Iterator[Athena]:
    made = Athena.on(Cloud())
    made.flights()
    yield made
    made.service.close()


SINGLE = {
    # Numbers
    "7/2": "3",
    "-7/2": "-3",
    "7e0/2": "3.5",
    "7e0/0": "Infinity",
    "7/2e0": "3.5",
    "mod(7, -3)": "1",
    "5e0 % 0": "NaN",
    "try(1/0)": None,
    "1e10": "1.0E10",
    "1e-5": "1.0E-5",
    "12345678.9e0": "1.23456789E7",
    "0.1e0 + 0.2e0": "0.30000000000000004",
    "1.50": "1.50",
    "2 * 1.5": "3.0",
    "round(2.5e0)": "3.0",
    "round(-2.5e0)": "-3.0",
    "greatest(1, null)": None,
    "infinity()": "Infinity",
    "width_bucket(0.5e0, array[1e0, 2e0])": "0",
    "width_bucket(1, array[1e0, 2e0])": "1",
    "width_bucket(infinity(), array[1e0, 2e0])": "2",
    "width_bucket(cast(null as double), array[1e0])": None,
    # Casts
    "cast(2.5e0 as bigint)": "3",
    "cast(-2.5e0 as integer)": "-3",
    "cast('12' as bigint)": "12",
    "try_cast('1.5' as bigint)": None,
    "try_cast('x' as double)": None,
    "cast('abc' as varchar(2))": "ab",
    "cast(null as bigint)": None,
    "cast(null as varchar)": None,
    "cast(regexp_extract('a12b', '[0-9]+') as bigint)": "12",
    "cast(rpad('1', 3, '0') as bigint)": "100",
    "cast(to_unixtime(from_iso8601_timestamp('1970-01-02T00:00:01Z')) as bigint)": "86401",
    "cast(true as varchar)": "true",
    "cast(12 as varchar)": "12",
    "cast(timestamp '2013-01-01 05:00:00' as varchar)": "2013-01-01 05:00:00.000",
    "cast('2013-01-01 05:00:00' as timestamp)": "2013-01-01 05:00:00.000",
    # Times
    "date_diff('day', timestamp '2013-01-01 23:00:00', timestamp '2013-01-02 01:00:00')": "0",
    "date_diff('hour', timestamp '2013-01-01 00:30:00', timestamp '2013-01-01 02:00:00')": "1",
    "date_diff('month', date '2013-01-31', date '2013-02-28')": "1",
    "date_diff('month', date '2013-01-15', date '2013-02-14')": "0",
    "date_diff('day', date '2013-01-03', date '2013-01-01')": "-2",
    "date_add('day', 1, date '2013-01-31')": "2013-02-01",
    "date '2013-01-31' + interval '1' month": "2013-02-28",
    "date_trunc('month', date '2013-01-31')": "2013-01-01",
    "date_trunc('hour', timestamp '2013-01-31 05:06:07')": "2013-01-31 05:00:00.000",
    "day_of_week(date '2013-01-06')": "7",
    "extract(dow from date '2013-01-06')": "7",
    "week(date '2013-01-06')": "1",
    "from_unixtime(1357016400.5)": "2013-01-01 05:00:00.500 UTC",
    "to_unixtime(from_iso8601_timestamp('2013-01-01T05:00:00Z'))": "1.3570164E9",
    "from_iso8601_timestamp('2013-01-01T05:00:00.25Z')": "2013-01-01 05:00:00.250 UTC",
    "from_iso8601_timestamp('2013-01-01')": "2013-01-01 00:00:00.000 UTC",
    "format_datetime(timestamp '2013-01-01 05:06:07', 'yyyy-MM-dd''T''HH:mm')": "2013-01-01T05:06",
    "date_format(timestamp '2013-01-01 05:06:07', '%Y/%m/%d %H:%i')": "2013/01/01 05:06",
    "date_parse('2013-01-01 05', '%Y-%m-%d %H')": "2013-01-01 05:00:00.000",
    "cast(null as timestamp)": None,
    "timestamp '1969-12-31 23:59:59.5'": "1969-12-31 23:59:59.500",
    "array[timestamp '2013-01-01 05:00:00']": "[2013-01-01 05:00:00.000]",
    "timestamp '2013-01-01 05:00:00' at time zone 'UTC'": "2013-01-01 05:00:00.000 UTC",
    # Texts
    "substr('abc', 0)": "",
    "substr('abc', -2)": "bc",
    "substr('abc', -5)": "",
    "substr('abc', 2, 1)": "b",
    "split_part('a,b', ',', 2)": "b",
    "split_part('a,b', ',', 3)": None,
    "regexp_extract('abc', 'x')": None,
    "regexp_extract('abc', 'a(.)', 1)": "b",
    "regexp_replace('abcb', '(b)', '<$1>')": "a<b>c<b>",
    "regexp_like('abc', '^b')": "false",
    "concat('a', null)": None,
    "'it''s'": "it's",
    # Arrays
    "array[1, 2, 3][2]": "2",
    "element_at(array[1], 5)": None,
    "array[1, 2] || array[3]": "[1, 2, 3]",
    "reverse(array[1, 2])": "[2, 1]",
    "reverse('ab')": "ba",
    "sequence(1, 3)": "[1, 2, 3]",
}


@pytest.mark.parametrize("expression", SINGLE)
def test_an_expression_is_worth_what_trino_says(athena: Athena, expression: str) -> None:
    assert athena.rows(f"SELECT {expression}") == [[SINGLE[expression]]]


QUERIES: dict[str, list[list[str | None]]] = {
    "SELECT count(*), sum(id), avg(id), sum(delay), max(carrier) FROM flights": [["3", "6", "2.0", "-1.0", "UA"]],
    "SELECT sum(id) / count(*) FROM flights WHERE id > 1": [["2"]],
    "SELECT delay / 0 FROM flights WHERE id = 1": [["Infinity"]],
    "SELECT approx_distinct(year), approx_percentile(id, 0.5) FROM flights": [["2", "2"]],
    "SELECT approx_percentile(delay, array[0e0, 1e0]) FROM flights": [["[-2.5, 1.5]"]],
    "SELECT max_by(carrier, id), min_by(carrier, id) FROM flights": [[None, "AA"]],
    "SELECT map_agg(carrier, id) FROM flights": [["{AA=1, UA=2}"]],
    "SELECT array_agg(id ORDER BY id DESC) FROM flights": [["[3, 2, 1]"]],
    "SELECT count_if(id > 1), bool_and(id > 0), every(id > 1) FROM flights": [["2", "true", "false"]],
    "SELECT id FROM flights ORDER BY delay DESC": [["1"], ["3"], ["2"]],
    "SELECT id FROM flights ORDER BY delay": [["3"], ["1"], ["2"]],
    "SELECT id AS n FROM flights ORDER BY n DESC LIMIT 1": [["3"]],
    "SELECT year, count(*) FROM flights GROUP BY 1 HAVING max(id) > 2": [["2014", "1"]],
    "SELECT f.id, seats FROM flights f JOIN seats s ON f.id = s.id WHERE seats > 100": [["2", "200"]],
    "SELECT id, seats FROM flights JOIN seats USING (id) ORDER BY id": [["1", "100"], ["2", "200"]],
    "SELECT f.id, s.seats FROM flights f LEFT JOIN seats s ON f.id = s.id WHERE s.id IS NULL": [["3", None]],
    "SELECT code, id / code FROM flights CROSS JOIN UNNEST(codes) AS t(code) ORDER BY 1": [["1", "1"], ["2", "0"]],
    "WITH c AS (SELECT year, sum(id) s FROM flights GROUP BY year) SELECT s / 2 FROM c ORDER BY 1": [["1"], ["1"]],
    "WITH c AS (SELECT delay * 1.5 AS d FROM flights) SELECT max(d) / 2 FROM c": [["1.125"]],
    "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY year ORDER BY id DESC) AS n FROM flights) "
    "WHERE n = 1 ORDER BY id": [["2"], ["3"]],
    "SELECT lag(id) OVER (ORDER BY id), sum(id) OVER (ORDER BY id) / 2 FROM flights ORDER BY id": [
        [None, "0"],
        ["1", "1"],
        ["2", "3"],
    ],
    "SELECT id FROM flights UNION ALL SELECT id FROM seats ORDER BY 1": [["1"], ["1"], ["2"], ["2"], ["3"]],
    "SELECT id FROM flights EXCEPT SELECT id FROM seats": [["3"]],
    "SELECT x FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, x) WHERE n = 2": [["b"]],
    "SELECT (SELECT max(seats) FROM seats s WHERE s.id = f.id) FROM flights f ORDER BY id": [["100"], ["200"], [None]],
    'SELECT "ID" FROM "awsdatacatalog"."db"."FLIGHTS" WHERE Carrier = \'AA\'': [["1"]],
    "SELECT db.flights.id FROM db.flights WHERE year BETWEEN '2014' AND '2015'": [["3"]],
    "SELECT '', null, carrier FROM flights WHERE id = 3": [["", None, None]],
    "SELECT * FROM flights WHERE id = 1": [
        ["1", "1.5", "AA", "2013-01-31", "2013-01-31 05:06:07.891", "[1, 2]", "2013"],
    ],
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_answers_what_trino_would(athena: Athena, sql: str) -> None:
    assert athena.rows(sql) == QUERIES[sql]


def test_columns_are_named_and_typed_as_athena_does(athena: Athena) -> None:
    sql = (
        "SELECT id AS Flight, count(*), 1.50, at, codes, 1 = 1, seats FROM flights JOIN seats USING (id) "
        "GROUP BY 1, 4, 5, 7"
    )
    found = athena.results(sql)
    columns = found["ResultSetMetadata"]["ColumnInfo"]
    assert [(column["Name"], column["Type"]) for column in columns] == [
        ("flight", "bigint"),
        ("_col1", "bigint"),
        ("_col2", "decimal"),
        ("at", "timestamp"),
        ("codes", "array"),
        ("_col5", "boolean"),
        ("seats", "integer"),
    ]
    assert (columns[2]["Precision"], columns[2]["Scale"]) == (3, 2)


REASONS = {
    "SELECT * FROM nothing": "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.nothing' does not exist",
    "SELECT * FROM nowhere.flights": "SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere' does not exist",
    "SELECT * FROM other.db.flights": "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' not found",
    "SELECT\n  nope FROM flights": "COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot be resolved or requester is not "
    "authorized to access requested resources",
    "SELECT f.nope FROM flights f": "COLUMN_NOT_FOUND: line 1:8: Column 'f.nope' cannot be resolved",
    "SELECT id AS x FROM flights WHERE x = 1": "COLUMN_NOT_FOUND: line 1:35: Column 'x'",
    "SELECT id + 1 AS x, count(*) FROM flights GROUP BY x": "COLUMN_NOT_FOUND: line 1:52: Column 'x'",
    "SELECT max(id) AS m FROM flights HAVING m > 1": "COLUMN_NOT_FOUND: line 1:41: Column 'm'",
    "SELECT id FROM flights, seats": "AMBIGUOUS_NAME: line 1:8: Column 'id' is ambiguous",
    "SELECT carrier, count(*) FROM flights": "EXPRESSION_NOT_AGGREGATE: line 1:8: 'carrier' must be an aggregate",
    "SELECT * FROM flights WHERE year = 2013": "TYPE_MISMATCH: line 1:29: Cannot apply operator: varchar = integer",
    "SELECT * FROM flights WHERE at > '2013-01-01'": "TYPE_MISMATCH: line 1:29: Cannot apply operator: timestamp > ",
    "SELECT * FROM flights WHERE year IN (2013)": "TYPE_MISMATCH: line 1:29: Cannot apply operator: varchar IN integer",
    "SELECT '5' + 1": "TYPE_MISMATCH",
    "SELECT concat(id, 'x') FROM flights": "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (bigint, varchar)",
    "SELECT sum(carrier) FROM flights": "FUNCTION_NOT_FOUND: Unexpected parameters for function: sum(VARCHAR)",
    "SELECT foo(1)": "FUNCTION_NOT_FOUND: line 1:8: Function 'foo' not registered",
    "SELECT 1/0": "DIVISION_BY_ZERO: Division by zero",
    "SELECT id % 0 FROM flights": "DIVISION_BY_ZERO",
    "SELECT cast('1.5' AS bigint)": "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to bigint",
    "SELECT cast('2013-01-01T05:00:00Z' AS timestamp)": "INVALID_CAST_ARGUMENT",
    "SELECT 9223372036854775807 + 1": "NUMERIC_VALUE_OUT_OF_RANGE",
    "SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS t(x)": "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition",
    "SELECT array[1][2]": "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array",
    "SELECT width_bucket(nan(), array[1e0])": "INVALID_FUNCTION_ARGUMENT: operand cannot be NaN",
    "SELECT width_bucket(1, array[2e0, 1e0])": "INVALID_FUNCTION_ARGUMENT: Bin values are not sorted",
    "SELECT from_iso8601_timestamp('yesterday')": "INVALID_FUNCTION_ARGUMENT: Invalid format",
    "SELECT ?": "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 1 but found 0",
}


@pytest.mark.parametrize("sql", REASONS)
def test_a_wrong_query_fails_as_athena_words_it(athena: Athena, sql: str) -> None:
    assert athena.reason(sql).startswith(REASONS[sql])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1.0 / 3",
        "SELECT avg(1.5)",
        "SELECT from_iso8601_timestamp('2013-01-01T05:00:00+05:00')",
        "SELECT date '2013-01-02' - date '2013-01-01'",
        "SELECT interval '1' day",
        "SELECT corr(id, id) FROM flights",
        "SELECT width_bucket(id, 0, 10, 5) FROM flights",
        "SELECT id FROM flights TABLESAMPLE BERNOULLI (10)",
        "SELECT timestamp '2013-01-01 05:00:00' AT TIME ZONE 'Asia/Tokyo'",
        "SELECT * FROM information_schema.tables",
        "DELETE FROM flights",
    ],
)
def test_what_would_be_answered_differently_is_refused(athena: Athena, sql: str) -> None:
    assert athena.reason(sql).startswith("NOT_SUPPORTED: ")


UNREADABLE = ("SELECT * FROM glob('/*')", "ATTACH '/tmp/x.db'")


@pytest.mark.parametrize(
    "sql",
    [
        *UNREADABLE,
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM duckdb_settings()",
        "SELECT getenv('HOME')",
        "COPY flights TO '/tmp/out.csv'",
        "SET threads = 64",
        "PRAGMA database_list",
        "INSTALL httpfs",
    ],
)
def test_no_query_reaches_out_of_the_catalog(athena: Athena, sql: str) -> None:
    with pytest.raises(ApiError, match="mismatched input") if sql in UNREADABLE else nullcontext():
        assert athena.reason(sql).split(":")[0] in ("NOT_SUPPORTED", "TABLE_NOT_FOUND", "FUNCTION_NOT_FOUND")


def test_parameters_take_the_places_of_question_marks(athena: Athena) -> None:
    sql = "SELECT id FROM flights WHERE carrier = ? AND id < ?"
    assert athena.rows(sql, ExecutionParameters=["'AA'", "2"]) == [["1"]]
    assert athena.reason(sql, ExecutionParameters=["AA' OR 1 = 1 --", "2"]).startswith("INVALID_PARAMETER_USAGE")


def test_the_current_time_is_that_of_the_local_aws(athena: Athena) -> None:
    athena.clock.advance(400 * 86400)
    ahead = athena.rows("SELECT to_unixtime(now()), date_diff('day', current_date, date(now()))")[0]
    assert float(ahead[0] or 0) == pytest.approx(athena.clock.now(), abs=60)
    assert ahead[1] == "0"
