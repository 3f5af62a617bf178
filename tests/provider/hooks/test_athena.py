"""Statements run to their end in the local AWS's Athena, or fail with Athena's reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.errors import InputError, RefusedError, ServiceError
from festaf.provider.hooks.athena import AthenaHook, AthenaQuery, token_of
from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

OUTPUT = f"s3://{BUCKET}/results"


@pytest.fixture
def athena(aws: LocalAws) -> AthenaHook:
    return AthenaHook()


def test_the_rows_of_a_query_come_by_column_over_several_pages(athena: AthenaHook) -> None:
    sql = "SELECT n, CASE WHEN n = 2 THEN null ELSE 'x' END AS word FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n"
    rows = athena.select(AthenaQuery(sql, output=OUTPUT))
    assert len(rows) == 2500
    assert rows[:2] == [{"n": "1", "word": "x"}, {"n": "2", "word": None}]
    assert rows[-1]["n"] == "2500"


def test_results_go_where_the_connection_says(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = '"service_config": {"athena": {"output_location": "s3://lake/there"}}, "region_name"'
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", aws.connection().replace('"region_name"', extra))
    found = AthenaHook().run(AthenaQuery("SELECT 1"))
    assert found["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/there/")


def test_a_failed_query_tells_athenas_reason(athena: AthenaHook) -> None:
    with pytest.raises(RefusedError, match=r"is FAILED: .*Division by zero"):
        athena.run(AthenaQuery("SELECT 1/0", output=OUTPUT))


def test_a_query_that_is_too_long_is_not_sent(athena: AthenaHook) -> None:
    with pytest.raises(InputError, match="262,144"):
        athena.run(AthenaQuery(f"SELECT '{'x' * 262_144}'", output=OUTPUT))


def test_throttling_while_waiting_is_borne(aws: LocalAws, athena: AthenaHook) -> None:
    aws.fault(operation="GetQueryExecution", kind="throttle", count=2)
    assert athena.select(AthenaQuery("SELECT 1 AS one", output=OUTPUT)) == [{"one": "1"}]


def test_the_same_token_is_one_query(aws: LocalAws, athena: AthenaHook) -> None:
    query = AthenaQuery("SELECT 1 AS one", output=OUTPUT, token=token_of("dag", "run", "task"))
    assert athena.start(query) == athena.start(query)


class Stopwatch:
    """A clock that a sleep moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 10


def test_a_query_past_its_deadline_is_stopped(athena: AthenaHook, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    call = athena.call

    def answer(service: str, operation: str, **asked: Any) -> dict[str, Any]:
        if operation == "get_query_execution":
            return {"QueryExecution": {"Status": {"State": "RUNNING"}}}
        if operation == "stop_query_execution":
            stopped.append(asked["QueryExecutionId"])
        return call(service, operation, **asked)

    monkeypatch.setattr(athena, "call", answer)
    watch = Stopwatch()
    with pytest.raises(ServiceError, match="RUNNING after 5 s"):
        athena.run(AthenaQuery("SELECT 1", output=OUTPUT), timeout=5, sleep=watch.sleep, clock=watch)
    assert len(stopped) == 1
