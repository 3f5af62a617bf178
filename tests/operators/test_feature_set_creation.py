from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.feature_set import CreateFeatureSetOperator
from festaf.provider import errors
from festaf.provider.artifacts import Feature
from tests.feature_store import BUCKET, FEATURES, ROLE, create, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def task(**parameters: Any) -> CreateFeatureSetOperator:
    asked: dict[str, Any] = {
        "task_id": "create",
        "feature_set": "planes",
        "features": FEATURES,
        "record_identifier": "tail",
        "event_time": "seen",
        "timeout": 10,
    }
    return CreateFeatureSetOperator(**(asked | parameters))


OFFLINE = {"offline_s3_uri": f"s3://{BUCKET}/offline", "role_arn": ROLE}


def test_a_feature_set_is_created_and_its_definition_is_attached(hook: FeatureStoreHook, run: Run) -> None:
    features = [Feature(name=item["name"], type=item["type"], purpose="to know") for item in FEATURES]  # type: ignore[arg-type]
    made = task(
        features=features,
        project="nyc",
        owner="team:planes",
        purpose="Size bounds delay",
        description="Planes",
        ttl=timedelta(days=7),
        tags={"cost": "42"},
        **OFFLINE,
    ).execute(run.context)
    found = hook.describe("planes")
    assert found is not None
    assert found.online is not None
    assert found.online.ttl == {"Unit": "Weeks", "Value": 1}
    assert found.offline is not None
    assert found.description == "Planes"
    assert hook.tags(found.arn) == {"cost": "42"}
    assert run.facts() == {"x-festaf://nyc/planes/definition": made}
    assert made["owner"] == "team:planes"
    assert made["features"][0]["purpose"] == "to know"
    assert (made["region"], made["account"]) == ("us-east-1", "123456789012")


def test_one_that_stands_and_is_the_same_is_adopted(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    task(**OFFLINE).execute(run.context)
    again = task(offline_s3_uri=f"s3://{BUCKET}/offline/", role_arn=ROLE).execute(run.context)
    assert again["feature_set"] == "planes"
    assert aws.stats()["CreateFeatureGroup"] == 1


def test_each_difference_stands_on_a_line_of_its_own(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    with pytest.raises(errors.SpecificationError) as caught:
        task(
            features=[*FEATURES[:2], {"name": "seats", "type": "String"}, {"name": "age", "type": "Integral"}],
            description="Planes",
            tags={"cost": "42"},
            **OFFLINE,
        ).execute(run.context)
    assert caught.value.differences == (
        f"role_arn: wanted {ROLE}, found nothing",
        "description: wanted Planes, found nothing",
        "feature seats: wanted String, found Integral",
        "feature age: wanted Integral, found nothing",
        "feature delay: wanted nothing, found Fractional",
        f"offline_s3_uri: wanted s3://{BUCKET}/offline, found nothing",
        "tag cost: wanted 42, found nothing",
    )


def test_a_reply_that_was_lost_after_the_work_is_adopted(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    aws.fault(kind="lost_reply", operation="CreateFeatureGroup")
    task().execute(run.context)
    assert hook.describe("planes") is not None


def test_one_that_is_not_visible_yet_is_waited_for(aws: LocalAws, run: Run) -> None:
    aws.settings(visible_seconds=1.5)
    aws.fault(kind="lost_reply", operation="CreateFeatureGroup")
    assert task().execute(run.context)["feature_set"] == "planes"
    assert aws.stats()["CreateFeatureGroup"] <= 3


def test_an_older_one_that_is_being_deleted_is_waited_for(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    old = create(hook)
    aws.settings(delete_seconds=1.5)
    hook.delete("planes")
    task().execute(run.context)
    new = hook.describe("planes")
    assert new is not None
    assert new.created_at > old.created_at


def test_one_that_aws_gave_up_is_reported_with_its_reason(aws: LocalAws, run: Run, hook: FeatureStoreHook) -> None:
    aws.fault(kind="fail_creation", reason="The role may not write there")
    create(hook)
    with pytest.raises(errors.FailedArtifactError, match="planes is CreateFailed: The role may not write there"):
        task().execute(run.context)


def test_a_full_quota_gives_the_slot_back_and_comes_again_later(
    hook: FeatureStoreHook, aws: LocalAws, run: Run
) -> None:
    from airflow.exceptions import AirflowRescheduleException

    aws.settings(create_seconds=60)
    for number in range(4):
        create(hook, f"other{number}")
    with pytest.raises(AirflowRescheduleException) as first:
        task(timeout=3600).execute(run.context)
    run.context["task_reschedule_count"] = 2
    with pytest.raises(AirflowRescheduleException) as third:
        task(timeout=3600).execute(run.context)
    now = datetime.now(UTC)
    assert timedelta(0) < first.value.reschedule_date - now <= timedelta(seconds=20)
    assert timedelta(seconds=30) < third.value.reschedule_date - now <= timedelta(seconds=80)


def test_a_quota_that_stays_full_fails_the_task_in_the_end(hook: FeatureStoreHook, aws: LocalAws, run: Run) -> None:
    aws.settings(create_seconds=60)
    for number in range(4):
        create(hook, f"other{number}")
    run.context["ti"].first = datetime.now(UTC) - timedelta(hours=2)
    with pytest.raises(errors.QuotaError, match="ResourceLimitExceeded"):
        task(timeout=3600).execute(run.context)


@pytest.mark.parametrize("kind", ["throttle", "error", "reset"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, run: Run, kind: str, hook: FeatureStoreHook) -> None:
    aws.fault(kind=kind, operation="(Create|Describe)FeatureGroup", count=2)
    task().execute(run.context)
    assert hook.describe("planes") is not None


def test_the_schema_comes_from_data_and_declarations_lie_over_it(
    run: Run, hook: FeatureStoreHook, tmp_path: Path
) -> None:
    declared = [Feature(name="delay", description="Minutes late")]
    made = task(features=declared, infer_from=parquet(tmp_path / "planes.parquet", 3)).execute(run.context)
    assert {item["name"]: item["type"] for item in made["features"]} == {
        "delay": "Fractional",
        "tail": "String",
        "seen": "String",
        "seats": "Integral",
    }
    assert made["features"][0]["description"] == "Minutes late"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"offline_s3_uri": "s3://lake/x"}, "needs a role: give role_arn"),
        ({"online": False}, "has no store: set online=True, or give offline_s3_uri"),
        ({"offline_s3_uri": "/data", "role_arn": ROLE}, "'/data' is no S3 URI: write s3://bucket/prefix"),
        ({"record_identifier": "tial"}, "record_identifier 'tial' is none of the features: tail, seen, seats, delay"),
        ({"event_time": "seats"}, "Event time 'seats' is Integral: it must be String"),
        ({"features": [*FEATURES, FEATURES[0]]}, "Feature 'tail' is declared twice"),
        ({"features": [*FEATURES, {"name": "wing"}]}, "Feature 'wing' has no type"),
        ({"features": [{"nmae": "tail"}]}, "does not describe a feature"),
        ({"infer_from": "/nowhere/planes.parquet"}, "There is no source /nowhere/planes.parquet"),
        ({"infer_from": "glue://raw/planes"}, "There is no Glue table raw.planes"),
        ({"ttl": timedelta(milliseconds=5)}, "give whole seconds"),
        ({"description": "x" * 129}, "has 129 characters, AWS takes 128"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_creates_nothing(
    aws: LocalAws, run: Run, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        task(**parameters).execute(run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "CreateFeatureGroup" not in aws.stats()


def test_what_aws_refuses_is_told_in_its_words(run: Run, aws: LocalAws) -> None:
    with pytest.raises(errors.RefusedError, match=r"CreateFeatureGroup: AWS answered \w+: .*is_deleted"):
        task(features=[*FEATURES, {"name": "is_deleted", "type": "String"}]).execute(run.context)


def test_completion_is_waited_for_when_asked(aws: LocalAws, hook: FeatureStoreHook, run: Run) -> None:
    aws.settings(create_seconds=0.4, glue_seconds=0.3)
    task(wait_for_completion=True, poll_interval=0.1, timeout=30, **OFFLINE).execute(run.context)
    found = hook.describe("planes")
    assert found is not None
    assert found.status == "Created"
    assert found.offline is not None
    assert found.offline.glue_table is not None
    assert hook.glue_table(found.offline.glue_table) is not None


def test_what_is_missing_at_the_deadline_is_said(aws: LocalAws, run: Run) -> None:
    aws.settings(create_seconds=600)
    with pytest.raises(errors.NotReadyError, match="AWS is still creating it"):
        task(wait_for_completion=True, poll_interval=0.1, timeout=2).execute(run.context)


def test_a_creation_that_fails_while_it_is_waited_for_fails_with_the_reason(aws: LocalAws, run: Run) -> None:
    aws.settings(create_seconds=0.3)
    aws.fault(kind="fail_creation", resource="feature-group", reason="The role is wrong")
    with pytest.raises(errors.FailedArtifactError, match="The role is wrong"):
        task(wait_for_completion=True, poll_interval=0.1).execute(run.context)
