from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider import errors
from festaf.sensors.feature_set import FeatureFreshnessSensor, FeatureSetReadySensor
from tests.feature_store import create

if TYPE_CHECKING:
    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def sensor(**parameters: Any) -> FeatureSetReadySensor:
    asked: dict[str, Any] = {
        "task_id": "ready",
        "feature_set": "planes",
        "poke_interval": 0.2,
        "timeout": 20,
        "deferrable": False,
    }
    return FeatureSetReadySensor(**(asked | parameters))


@pytest.mark.parametrize("level", ["CREATED", "WRITABLE"])
def test_a_level_is_waited_for(hook: FeatureStoreHook, aws: LocalAws, run: Run, level: str) -> None:
    aws.settings(create_seconds=0.7, offline_active_seconds=0.3, glue_seconds=0.3)
    create(hook, offline=True)
    assert sensor(level=level).execute(run.context) == {"feature_set": "planes", "level": level}


def test_rows_up_to_an_event_time_are_waited_for(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    create(hook, offline=True)
    aws.advance(10)
    hook.put_record("planes", {"tail": "N1", "seen": "2013-01-01T05:00:00Z"})
    asked = {"level": "QUERYABLE", "rows": "1", "until": "2013-01-01T05:00:00Z"}
    assert sensor(**asked).execute(run.context)["level"] == "QUERYABLE"
    with pytest.raises(errors.NotReadyError, match="SQL sees 1 rows of 2; SQL sees event times up to 2013-01-01"):
        sensor(level="QUERYABLE", rows=2, until="2014-01-01T00:00:00Z", timeout=1).execute(run.context)


def test_freshness_is_read_offline_or_from_one_record_online(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    create(hook, offline=True)
    aws.advance(10)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    hook.put_record("planes", {"tail": "N1", "seen": now})
    common: dict[str, Any] = {"task_id": "fresh", "feature_set": "planes", "poke_interval": 0.2, "deferrable": False}
    fresh = FeatureFreshnessSensor(max_age=timedelta(hours=1), timeout=20, **common)
    assert fresh.execute(run.context)["level"] == "FRESH"
    hook.put_record("planes", {"tail": "N2", "seen": "2013-01-01T05:00:00Z"})
    stale = FeatureFreshnessSensor(max_age=3600, record="N2", timeout=0.5, **common)
    with pytest.raises(errors.NotReadyError, match="the newest event time is 2013-01-01 05:00:00"):
        stale.execute(run.context)


def test_a_partial_feature_set_past_its_deadline_fails_naming_the_missing_part(
    hook: FeatureStoreHook, aws: LocalAws, run: Run
) -> None:
    aws.settings(glue_seconds=600)
    create(hook, offline=True)
    with pytest.raises(errors.NotReadyError) as caught:
        sensor(timeout=1).execute(run.context)
    assert str(caught.value).startswith("Feature set planes is not CREATED after 1 s: the Glue table")


def test_one_that_does_not_exist_is_what_is_missing(aws: LocalAws, run: Run) -> None:
    with pytest.raises(errors.NotReadyError, match="the feature set does not exist"):
        sensor(timeout=0.3).execute(run.context)


def test_a_creation_that_failed_fails_at_once_with_the_reason(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    aws.fault(kind="fail_creation", reason="The role may not write there")
    create(hook)
    with pytest.raises(errors.FailedArtifactError, match="planes is CreateFailed: The role may not write there"):
        sensor(timeout=600).execute(run.context)


def test_a_blocked_offline_store_fails_at_once_with_the_reason(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    aws.fault(kind="block_offline", name="planes", reason="No permission for the bucket", count=None)
    create(hook, offline=True)
    aws.advance(10)
    with pytest.raises(errors.FailedArtifactError, match="offline store is Blocked: No permission for the bucket"):
        sensor(timeout=600).execute(run.context)


def test_a_failure_can_be_a_skip(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    from airflow.providers.common.compat.sdk import AirflowSkipException

    with pytest.raises(AirflowSkipException):
        sensor(timeout=0.2, soft_fail=True).execute(run.context)


def test_a_passing_fault_of_aws_is_waited_out(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    create(hook)
    aws.fault(kind="throttle", operation="DescribeFeatureGroup", count=6)
    assert sensor(timeout=60).execute(run.context)["level"] == "CREATED"


def test_what_is_ready_already_is_not_handed_to_the_trigger(planes: FeatureSet, run: Run) -> None:
    assert sensor(deferrable=True).execute(run.context) == {"feature_set": "planes", "level": "CREATED"}


def test_a_deferrable_sensor_hands_everything_to_the_trigger(aws: LocalAws, run: Run) -> None:
    from airflow.providers.common.compat.sdk import TaskDeferred

    with pytest.raises(TaskDeferred) as caught:
        sensor(deferrable=True, level="QUERYABLE", rows="7", until="", region_name="eu-west-1").execute(run.context)
    assert caught.value.trigger.serialize()[1] == {
        "name": "planes",
        "level": "QUERYABLE",
        "poll_interval": 0.2,
        "timeout": 20.0,
        "aws_conn_id": "aws_default",
        "region_name": "eu-west-1",
        "bounds": {"rows": 7},
    }


@pytest.mark.parametrize(
    ("event", "error", "said"),
    [
        (
            {"status": "failed", "artifact": "Feature set planes", "state": "CreateFailed", "reason": "no role"},
            errors.FailedArtifactError,
            "planes is CreateFailed: no role",
        ),
        (
            {"status": "late", "artifact": "Feature set planes", "missing": ["the Glue table"], "waited": 60.0},
            errors.NotReadyError,
            "not CREATED after 60 s: the Glue table",
        ),
        ({"status": "error", "message": "No AWS region is known"}, errors.InputError, "No AWS region is known"),
    ],
)
def test_what_the_trigger_found_becomes_the_tasks_failure(
    run: Run, event: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        sensor().execute_complete(run.context, event)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"level": "READY"}, "level is 'READY'"),
        ({"level": "FRESH"}, "Level FRESH needs max_age"),
        ({"level": "QUERYABLE"}, "has no offline store"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    hook: FeatureStoreHook, run: Run, parameters: dict[str, Any], said: str
) -> None:
    create(hook)
    with pytest.raises(errors.InputError) as caught:
        sensor(**parameters).execute(run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
