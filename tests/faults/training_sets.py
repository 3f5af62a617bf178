"""The scenarios of training sets, of monitors, and of what was made elsewhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.operators.artifact import OnboardArtifactOperator
from festaf.operators.monitor import MonitorFeaturesOperator
from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.hooks.feature_store import FeatureStoreHook
from tests.faults.stage import Scenario
from tests.feature_store import BUCKET, create, table
from tests.provider.training_sets.history import (
    START,
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)

if TYPE_CHECKING:
    from tests.faults.stage import Stage

FEATURES = {"tail": "String", "seen": "String", "seats": "Integral"}


def _past(stage: Stage) -> None:
    hook = FeatureStoreHook()
    found = create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    write_history(hook, found, [Past({"tail": "N1", "seen": "2013-01-01T00:00:00Z", "seats": 7})])
    put_parquet(hook, BUCKET, "flights/a.parquet", {"tail": ["N1", "N2"], "at": ["2013-01-01T12:00:00Z"] * 2})


def _build(stage: Stage) -> None:
    stage.kept["built"] = BuildTrainingSetOperator(
        task_id="build",
        training_set="delays",
        entities=f"s3://{BUCKET}/flights/",
        event_time="at",
        feature_sets=["planes"],
        output_s3_uri=f"s3://{BUCKET}/sets",
        snapshot=START + timedelta(days=1),
        check_ready=False,
        poll_interval=0.05,
        timeout=60,
    ).execute(stage.context())


def _joined(stage: Stage) -> None:
    rows = read_training_set(FeatureStoreHook(), stage.kept["built"])
    assert sorted((row["tail"], row["seats"]) for row in rows) == [("N1", 7), ("N2", None)]
    listed = stage.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="sets/delays/")["Contents"]
    assert sum(one["Key"].endswith("manifest.json") for one in listed) == 1


def _two_days(stage: Stage) -> None:
    columns: dict[str, Any] = {
        "seen": [f"2013-01-{1 + number // 150:02}T{number % 24:02}:00:00Z" for number in range(300)],
        "delay": [float(number % 50) for number in range(300)],
    }
    put_parquet(FeatureStoreHook(), BUCKET, "rows/a.parquet", table(300, **columns).to_pydict())
    stage.kept["source"] = f"s3://{BUCKET}/rows/"


def _watch(stage: Stage) -> None:
    MonitorFeaturesOperator(
        task_id="watch",
        source=stage.kept["source"],
        monitor="planes",
        event_time="seen",
        until="2013-01-03T00:00:00Z",
        window=timedelta(days=1),
        baseline=timedelta(days=1),
        report_uri=f"s3://{BUCKET}/reports",
        baseline_uri=f"s3://{BUCKET}/baseline.json",
        on_drift="report",
    ).execute(stage.context())


def _reported(stage: Stage) -> None:
    s3 = stage.aws.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/")["Contents"]]
    reports = [key for key in keys if key.endswith(".json") and "latest" not in key]
    assert len(reports) == 1, keys
    report = json.loads(s3.get_object(Bucket=BUCKET, Key=reports[0])["Body"].read())["report"]
    assert (report["rows"], report["baseline_rows"]) == (150, 150)


def _foreign(stage: Stage) -> None:
    create(FeatureStoreHook())


def _adopt(stage: Stage) -> None:
    OnboardArtifactOperator(task_id="adopt", kind="feature_set", name="planes", owner="ann").execute(stage.context())


def _adopted(stage: Stage) -> None:
    client = stage.aws.client("sagemaker")
    arn = client.describe_feature_group(FeatureGroupName="planes")["FeatureGroupArn"]
    assert {"Key": "festaf:owner", "Value": "ann"} in client.list_tags(ResourceArn=arn)["Tags"]


SCENARIOS = [
    Scenario("BuildTrainingSetOperator", _past, _build, _joined),
    Scenario("MonitorFeaturesOperator", _two_days, _watch, _reported),
    Scenario("OnboardArtifactOperator", _foreign, _adopt, _adopted),
]
