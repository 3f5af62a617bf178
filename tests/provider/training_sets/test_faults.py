"""Whatever AWS or the worker does, a training set is built once and right, or one clear error says why not."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.errors import RefusedError, ServiceError
from festaf.provider.hooks.athena import AthenaQuery
from festaf.provider.hooks.feature_store import FeatureStoreHook
from tests.feature_store import BUCKET
from tests.provider.training_sets.history import (
    START,
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.provider.hooks.aws import Kind
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

FEATURES = {"tail": "String", "seen": "String", "seats": "Integral"}
QUERIES = 4
"""Of one build: entities, one feature set, the training set, counts."""


STRIDE = int(os.environ.get("FESTAF_KILL_STRIDE", "5"))
"""Every how many calls the worker is killed once."""


class KilledError(BaseException):
    """The worker is gone: nothing of ours handles this."""


class Hook(FeatureStoreHook):
    """A hook that does something after a call was answered."""

    after: Callable[[int, str, dict[str, Any]], dict[str, Any]] | None = None
    calls = 0

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call, then do it."""
        return self._then(operation, super().call(service, operation, **parameters)) or {}

    def call_or_none(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """Call, then do it."""
        return self._then(operation, super().call_or_none(service, operation, **parameters))

    def beside(self, kind: type[Kind]) -> Kind:
        """Watch what the hook to Athena calls, too."""
        found = super().beside(kind)
        found.__dict__["call"] = self.call
        return found

    def _then(self, operation: str, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        self.calls += 1
        if self.after is None or answer is None:
            return answer
        return self.after(self.calls, operation, answer)


@pytest.fixture
def planes(aws: LocalAws) -> Hook:
    """Make a feature set with a past, and flights to join it to."""
    hook = Hook()
    found = create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    write_history(hook, found, [Past({"tail": "N1", "seen": "2013-01-01T00:00:00Z", "seats": 7})])
    flights = {"tail": ["N1", "N2"], "at": ["2013-01-01T12:00:00Z"] * 2}
    put_parquet(hook, BUCKET, "flights/a.parquet", flights)
    return hook


def build(hook: FeatureStoreHook, name: str = "delays", **more: Any) -> BuildTrainingSetOperator:
    asked: dict[str, Any] = {
        "training_set": name,
        "entities": f"s3://{BUCKET}/flights/",
        "event_time": "at",
        "feature_sets": ["planes"],
        "output_s3_uri": f"s3://{BUCKET}/sets",
        "snapshot": START + timedelta(days=1),
        "check_ready": False,
        "poll_interval": 0.05,
    }
    made = BuildTrainingSetOperator(task_id="build", **(asked | more))
    made.__dict__["hook"] = hook
    return made


def check(hook: FeatureStoreHook, written: dict[str, Any]) -> None:
    """Find the rows right, and nothing left over."""
    rows = [(row["tail"], row["seats"]) for row in read_training_set(hook, written)]
    assert sorted(rows) == [("N1", 7), ("N2", None)]
    tables = hook.call("glue", "get_tables", DatabaseName="sagemaker_featurestore")["TableList"]
    assert [table["Name"] for table in tables if table["Name"].startswith("festaf_")] == []
    home = f"sets/{written['training_set']}/{written['build']}/"
    left = hook.call("s3", "list_objects_v2", Bucket=BUCKET, Prefix=home)["Contents"]
    names = {item["Key"].removeprefix(home).split("/")[0] for item in left}
    assert names == {"manifest.json", written["uri"].rstrip("/").rsplit("/", 1)[1]}


def queries(hook: FeatureStoreHook) -> int:
    return len(hook.call("athena", "list_query_executions", MaxResults=50)["QueryExecutionIds"])


@pytest.mark.parametrize(
    ("operation", "kind", "count"),
    [
        ("StartQueryExecution", "throttle", 5),
        ("StartQueryExecution", "error", 3),
        ("StartQueryExecution", "reset", 1),
        ("StartQueryExecution", "lost_reply", 2),
        ("GetQueryExecution", "throttle", 5),
        ("GetQueryResults", "error", 3),
    ],
)
def test_a_fault_of_athena_is_survived_and_nothing_runs_twice(
    operation: str, kind: str, count: int, aws: LocalAws, planes: Hook, run: Run
) -> None:
    aws.fault(operation=operation, kind=kind, count=count)
    written = build(planes).execute(run.context)
    check(planes, written)
    assert queries(planes) == QUERIES


@pytest.mark.parametrize(
    ("operation", "kind", "count"),
    [("GetObject", "throttle", 5), ("PutObject", "lost_reply", 1), ("CreateTable", "lost_reply", 1)],
)
def test_a_fault_of_s3_or_glue_is_survived(
    operation: str, kind: str, count: int, aws: LocalAws, planes: Hook, run: Run
) -> None:
    aws.fault(operation=operation, kind=kind, count=count)
    check(planes, build(planes).execute(run.context))


@pytest.mark.long
def test_a_worker_killed_after_any_call_leaves_what_the_next_one_completes(planes: Hook, run: Run) -> None:
    build(planes, "first").execute(run.context)  # It looks more often than the others: Athena starts with it.
    before = planes.calls
    build(planes, "whole").execute(run.context)
    calls, done = planes.calls - before, queries(planes)
    killed = 0
    for point in range(1, calls + 1, STRIDE):
        dying = Hook()
        dying._clients = planes._clients  # Making boto3's clients takes longer than the build.
        dying.after = _killed_after(point)
        try:
            build(dying, f"killed-{point}").execute(run.context)
        except KilledError:
            killed += 1
        written = build(planes, f"killed-{point}").execute(run.context)
        check(planes, written)
        # Each step ran once, whoever started it.
        now = len(_all_queries(planes))
        assert (now - done, written["rows"]) == (QUERIES, 2), f"killed after call {point}"
        done = now
    # How often a build looks at a running query varies, so the last points may lie behind its end.
    assert killed > 0.7 * calls / STRIDE > 4


def _killed_after(point: int) -> Callable[[int, str, dict[str, Any]], dict[str, Any]]:
    def after(number: int, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if number >= point:
            raise KilledError(operation)
        return answer

    return after


def _all_queries(hook: FeatureStoreHook) -> list[str]:
    found: list[str] = []
    for page in hook.pages("athena", "list_query_executions", MaxResults=50):
        found += page["QueryExecutionIds"]
    return found


def test_a_query_that_athena_itself_failed_is_started_again(planes: Hook, run: Run) -> None:
    failed: list[str] = []

    def after(number: int, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation == "get_query_execution" and len(failed) < 2:
            failed.append(operation)
            error = {"ErrorCategory": 1, "ErrorType": 233, "Retryable": True, "ErrorMessage": "exhausted"}
            status = {"State": "FAILED", "StateChangeReason": "Query exhausted resources", "AthenaError": error}
            return {"QueryExecution": answer["QueryExecution"] | {"Status": status}}
        return answer

    planes.after = after
    written = build(planes).execute(run.context)
    planes.after = None
    check(planes, written)


def test_a_query_that_cannot_succeed_fails_with_athenas_reason_and_leaves_nothing(planes: Hook, run: Run) -> None:
    query = "SELECT tail, 'yesterday' AS at FROM (VALUES ('N1')) AS t (tail)"
    with pytest.raises(RefusedError, match=r"match 1\) is FAILED: INVALID_FUNCTION_ARGUMENT.*yesterday"):
        build(planes, entities=query).execute(run.context)
    tables = planes.call("glue", "get_tables", DatabaseName="sagemaker_featurestore")["TableList"]
    assert [table["Name"] for table in tables if table["Name"].startswith("festaf_")] == []
    left = planes.call("s3", "list_objects_v2", Bucket=BUCKET, Prefix="sets/delays/").get("Contents", [])
    assert [item["Key"] for item in left] == []


def test_at_the_deadline_the_query_is_stopped_and_a_later_try_completes(aws: LocalAws, planes: Hook, run: Run) -> None:
    def after(number: int, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation == "get_query_execution":
            return {"QueryExecution": answer["QueryExecution"] | {"Status": {"State": "RUNNING"}}}
        return answer

    planes.after = after
    with pytest.raises(ServiceError, match="still RUNNING after 0 s and was stopped"):
        build(planes, timeout=0.3).execute(run.context)
    planes.after = None
    assert aws.stats()["StopQueryExecution"] == 1
    check(planes, build(planes).execute(run.context))


def test_killing_the_task_cancels_its_queries(aws: LocalAws, planes: Hook) -> None:
    made = build(planes)
    made.on_kill()
    made.athena.start(AthenaQuery("SELECT 1", output=f"s3://{BUCKET}/results"))
    made.on_kill()
    assert aws.stats()["StopQueryExecution"] == 1
