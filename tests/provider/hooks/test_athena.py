"""Statements run to their end in the local AWS's Athena, or fail with Athena's reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.errors import AccessError, InputError, RefusedError, ServiceError
from festaf.provider.hooks.athena import AthenaHook, AthenaQuery, Execution, failure
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.provider.hooks.patience import Patience
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
    told = aws.client("athena").get_query_execution(QueryExecutionId=found.identity)["QueryExecution"]
    assert told["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/there/")


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
    query = AthenaQuery("SELECT 1 AS one", output=OUTPUT, token="a" * 64)
    assert athena.start(query) == AthenaHook().start(query)
    other = AthenaQuery("SELECT 1 AS one", output=OUTPUT)
    assert athena.start(other) != athena.start(other)


def test_a_lost_reply_starts_nothing_twice(aws: LocalAws, athena: AthenaHook) -> None:
    aws.fault(operation="StartQueryExecution", kind="lost_reply", count=6)
    patience = Patience(60, sleep=lambda seconds: None)
    assert athena.select(AthenaQuery("SELECT 1 AS one", output=OUTPUT), patience) == [{"one": "1"}]
    assert len(aws.client("athena").list_query_executions()["QueryExecutionIds"]) == 1


def test_a_patient_one_asks_again_and_an_impatient_one_does_not(aws: LocalAws, athena: AthenaHook) -> None:
    query = AthenaQuery("SELECT 1 AS one", output=OUTPUT)
    aws.fault(operation="GetQueryExecution", kind="throttle", count=6)
    with pytest.raises(ServiceError, match="ThrottlingException"):
        athena.run(query)
    assert aws.stats()["StopQueryExecution"] == 1
    assert athena.select(query, Patience(60, sleep=lambda seconds: None)) == [{"one": "1"}]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"StateChangeReason": "SYNTAX_ERROR: line 1:8"}, RefusedError),
        ({"StateChangeReason": "exhausted", "AthenaError": {"ErrorCategory": 2, "Retryable": True}}, ServiceError),
        ({"StateChangeReason": "internal", "AthenaError": {"ErrorCategory": 1}}, ServiceError),
        ({"State": "CANCELLED"}, ServiceError),
        ({"StateChangeReason": "Access Denied (Service: Amazon S3)"}, AccessError),
        ({"StateChangeReason": "Insufficient permissions to execute the query"}, AccessError),
    ],
)
def test_a_failure_says_whether_another_try_may_succeed(status: dict[str, Any], kind: type[Exception]) -> None:
    told = {"QueryExecutionId": "q", "Status": {"State": "FAILED"} | status}
    assert type(failure(Execution.of({"QueryExecution": told}))) is kind


def test_a_query_that_athena_does_not_know_is_told(athena: AthenaHook) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    assert athena.look(unknown) is None
    with pytest.raises(ServiceError, match="is not known to Athena"):
        athena.wait(unknown, Patience(5))


def test_a_hook_beside_another_shares_its_connection(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = FeatureStoreHook(region_name="eu-west-1")
    client = hook.client("athena")
    monkeypatch.delenv("AIRFLOW_CONN_AWS_DEFAULT")
    athena = hook.beside(AthenaHook)
    assert athena.client("athena") is client
    assert athena.place == hook.place
    assert athena.configured_output is None


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
            return {"QueryExecution": {"QueryExecutionId": asked["QueryExecutionId"], "Status": {"State": "RUNNING"}}}
        if operation == "stop_query_execution":
            stopped.append(asked["QueryExecutionId"])
        return call(service, operation, **asked)

    monkeypatch.setattr(athena, "call", answer)
    watch = Stopwatch()
    with pytest.raises(ServiceError, match="still RUNNING after 5 s and was stopped"):
        athena.run(AthenaQuery("SELECT 1", output=OUTPUT), Patience(5, sleep=watch.sleep, clock=watch))
    assert len(stopped) == 1
