"""The scenarios of feature sets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.operators.feature_set import (
    CreateFeatureSetOperator,
    DeleteFeatureSetOperator,
    IngestFeaturesOperator,
    UpdateFeatureSetOperator,
)
from festaf.sensors.feature_set import FeatureFreshnessSensor, FeatureSetReadySensor
from tests.faults.stage import Scenario
from tests.feature_store import BUCKET, FEATURES, ROLE, create, online_count, parquet

if TYPE_CHECKING:
    from tests.faults.stage import Stage

ROWS = 60
WIND = {"name": "wind", "type": "Fractional", "description": "Speed of the wind, knots"}


def _hook() -> Any:
    from festaf.provider.hooks.feature_store import FeatureStoreHook

    return FeatureStoreHook()


def _nothing(stage: Stage) -> None:
    """Prepare nothing."""


def _create(stage: Stage) -> None:
    CreateFeatureSetOperator(
        task_id="create",
        feature_set="planes",
        features=FEATURES,
        record_identifier="tail",
        event_time="seen",
        offline_s3_uri=f"s3://{BUCKET}/offline",
        role_arn=ROLE,
        owner="ann",
    ).execute(stage.context())


def _stands(stage: Stage) -> None:
    client = stage.aws.client("sagemaker")
    found = client.list_feature_groups()["FeatureGroupSummaries"]
    assert [one["FeatureGroupName"] for one in found] == ["planes"]
    stood = client.describe_feature_group(FeatureGroupName="planes")
    assert [one["FeatureName"] for one in stood["FeatureDefinitions"]] == [one["name"] for one in FEATURES]


def _planes(stage: Stage) -> None:
    create(_hook())
    stage.kept["source"] = parquet(stage.folder / "planes.parquet", ROWS)


def _ingest(stage: Stage) -> None:
    IngestFeaturesOperator(
        task_id="ingest",
        feature_set="planes",
        source=stage.kept["source"],
        work_dir=str(stage.folder / "work"),
        retry_seconds=5,
    ).execute(stage.context())


def _all_rows(stage: Stage) -> None:
    assert online_count(stage.aws) == ROWS


def _update(stage: Stage) -> None:
    UpdateFeatureSetOperator(
        task_id="update",
        feature_set="planes",
        features=[WIND],
        tags={"team": "sky"},
        poll_interval=0.05,
        timeout=20,
    ).execute(stage.context())


def _updated(stage: Stage) -> None:
    client = stage.aws.client("sagemaker")
    stood = client.describe_feature_group(FeatureGroupName="planes")
    assert [one["FeatureName"] for one in stood["FeatureDefinitions"]] == [*(one["name"] for one in FEATURES), "wind"]
    told = client.describe_feature_metadata(FeatureGroupName="planes", FeatureName="wind")
    assert told["Description"] == WIND["description"]
    assert {"Key": "team", "Value": "sky"} in client.list_tags(ResourceArn=stood["FeatureGroupArn"])["Tags"]


def _both_stores(stage: Stage) -> None:
    create(_hook(), offline=True)
    stage.aws.advance(10)


def _wait(stage: Stage) -> None:
    FeatureSetReadySensor(task_id="wait", feature_set="planes", poke_interval=0.1, timeout=20).execute(stage.context())


def _rows_offline(stage: Stage) -> None:
    create(_hook(), offline=True)
    stage.kept["source"] = parquet(stage.folder / "planes.parquet", ROWS)
    _ingest(stage)
    stage.aws.advance(1000)


def _wait_until_fresh(stage: Stage) -> None:
    FeatureFreshnessSensor(
        task_id="fresh",
        feature_set="planes",
        max_age=timedelta(days=36500),
        output_location=f"s3://{BUCKET}/athena",
        poke_interval=0.1,
        timeout=20,
    ).execute(stage.context())


def _delete(stage: Stage) -> None:
    DeleteFeatureSetOperator(
        task_id="delete", feature_set="planes", delete_glue_table=True, poll_interval=0.1, timeout=20
    ).execute(stage.context())


def _gone(stage: Stage) -> None:
    assert stage.aws.client("sagemaker").list_feature_groups()["FeatureGroupSummaries"] == []


SCENARIOS = [
    Scenario("CreateFeatureSetOperator", _nothing, _create, _stands),
    Scenario("IngestFeaturesOperator", _planes, _ingest, _all_rows),
    Scenario("UpdateFeatureSetOperator", _both_stores, _update, _updated),
    Scenario("FeatureSetReadySensor", _both_stores, _wait, _nothing),
    Scenario("FeatureFreshnessSensor", _rows_offline, _wait_until_fresh, _nothing),
    Scenario("DeleteFeatureSetOperator", _both_stores, _delete, _gone),
]
