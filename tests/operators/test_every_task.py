"""What holds for every operator and sensor of ours."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAlias, BaseOperator

from festaf.operators.artifact import OnboardArtifactOperator
from festaf.operators.endpoint import (
    DeleteEndpointOperator,
    DeployEndpointOperator,
    InvokeEndpointOperator,
    ShiftTrafficOperator,
)
from festaf.operators.feature_set import (
    CreateFeatureSetOperator,
    DeleteFeatureSetOperator,
    IngestFeaturesOperator,
    UpdateFeatureSetOperator,
)
from festaf.operators.model import (
    ApproveModelVersionOperator,
    CompareModelsOperator,
    CreateModelOperator,
    DeleteModelOperator,
    RegisterModelVersionOperator,
)
from festaf.operators.monitor import MonitorEndpointOperator, MonitorFeaturesOperator
from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.operators.write_back import WriteBackLineageOperator
from festaf.provider.assets import feature_set_asset
from festaf.sensors.endpoint import EndpointReadySensor
from festaf.sensors.feature_set import FeatureFreshnessSensor, FeatureSetReadySensor
from festaf.sensors.model import ModelApprovedSensor, ModelReadySensor
from tests.dag_serialization import DagSerialization

HEAVY = ["boto3", "botocore", "pandas", "numpy", "pyarrow", "fastapi", "sqlalchemy.orm", "sagemaker", "httpx"]
TASKS: dict[type[BaseOperator], dict[str, Any]] = {
    CreateFeatureSetOperator: {"record_identifier": "tail", "event_time": "seen"},
    IngestFeaturesOperator: {"source": "planes.parquet"},
    DeleteFeatureSetOperator: {},
    UpdateFeatureSetOperator: {},
    FeatureSetReadySensor: {},
    FeatureFreshnessSensor: {"max_age": 60},
    MonitorFeaturesOperator: {},
    MonitorEndpointOperator: {},
    OnboardArtifactOperator: {"kind": "feature_set"},
    WriteBackLineageOperator: {},
    DeployEndpointOperator: {"variants": [{"model": "delay", "instance_type": "ml.m5.large"}]},
    ShiftTrafficOperator: {"weights": {"A": 1.0}},
    InvokeEndpointOperator: {"payload": "1,2"},
    DeleteEndpointOperator: {},
    EndpointReadySensor: {},
    CreateModelOperator: {"role_arn": "arn:aws:iam::123456789012:role/sagemaker", "model_package": "delay:1"},
    RegisterModelVersionOperator: {"image_uri": "sklearn:1.5", "metrics": {"mae": 9.5}},
    CompareModelsOperator: {"metric": "mae", "direction": "minimize", "if_better": "approve"},
    ApproveModelVersionOperator: {"version": 1},
    DeleteModelOperator: {},
    ModelReadySensor: {},
    ModelApprovedSensor: {"version": 1},
    BuildTrainingSetOperator: {
        "entities": "nyc.flights",
        "feature_sets": ["planes"],
        "output_s3_uri": "s3://lake/sets",
    },
}
"""What each needs besides the name of its artifact."""

NAMED_BY: dict[type[BaseOperator], str] = {
    DeployEndpointOperator: "endpoint",
    ShiftTrafficOperator: "endpoint",
    InvokeEndpointOperator: "endpoint",
    DeleteEndpointOperator: "endpoint",
    EndpointReadySensor: "endpoint",
    CreateModelOperator: "model",
    RegisterModelVersionOperator: "model",
    CompareModelsOperator: "model",
    ApproveModelVersionOperator: "model",
    DeleteModelOperator: "model",
    ModelReadySensor: "model",
    ModelApprovedSensor: "model",
    BuildTrainingSetOperator: "training_set",
    OnboardArtifactOperator: "name",
    MonitorEndpointOperator: "endpoint",
    WriteBackLineageOperator: "feature_sets",
}
"""The field that holds the artifact's name, where it is not ``feature_set``."""

each = pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)


def make(kind: type[BaseOperator], **more: Any) -> Any:
    return kind(task_id="task", **{named_by(kind): "{{ params.name }}"}, **TASKS[kind], **more)


def named_by(kind: type[BaseOperator]) -> str:
    return NAMED_BY.get(kind, "feature_set")


@each
def test_templated_fields_are_attributes_and_parameters(kind: type[BaseOperator]) -> None:
    made = make(kind)
    parameters = {name for base in kind.__mro__ for name in inspect.signature(base.__init__).parameters}
    assert named_by(kind) in kind.template_fields
    for name in kind.template_fields:
        assert hasattr(made, name)
        assert name in parameters


@each
def test_a_template_is_rendered(kind: type[BaseOperator]) -> None:
    made = make(kind)
    made.render_template_fields({"params": {"name": "planes"}})
    assert getattr(made, named_by(kind)) == "planes"


@each
def test_a_dag_with_it_is_serialised_and_read_again(kind: type[BaseOperator]) -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        make(kind)
    again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    assert again.get_task("task").task_type == kind.__name__


@each
def test_it_can_be_mapped(kind: type[BaseOperator]) -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        mapped = kind.partial(task_id="task", **TASKS[kind]).expand(**{named_by(kind): ["planes", "trains"]})
    assert mapped.task_id == "task"


def test_the_alias_joins_the_outlets_that_a_user_gave() -> None:
    mine = Asset("mine", uri="s3://lake/mine")
    data = feature_set_asset("planes", project="nyc")
    assert make(DeleteFeatureSetOperator).outlets == [AssetAlias("festaf")]
    assert make(DeleteFeatureSetOperator, outlets=[mine, data]).outlets == [mine, data, AssetAlias("festaf")]
    assert (data.uri, data.group) == ("x-festaf://nyc/planes", "feature_set")


def test_the_dags_owner_is_the_feature_sets_owner() -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), default_args={"owner": "team:planes"}):
        made = make(CreateFeatureSetOperator)
    assert (made.owner, made.declared_owner) == ("team:planes", "team:planes")


def test_parsing_a_dag_file_loads_nothing_heavy() -> None:
    program = (
        "import sys; import airflow.sdk; from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, Asset\n"
        "before = set(sys.modules)\n"
        "import festaf.operators.feature_set, festaf.operators.monitor, festaf.operators.training_set\n"
        "import festaf.operators.endpoint, festaf.sensors.endpoint, festaf.operators.model, festaf.sensors.model\n"
        "import festaf.sensors.feature_set, festaf.provider.assets\n"
        "import festaf.provider.artifacts, festaf.provider.training_sets\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = ran.stdout.splitlines()[-1].split()
    assert [name for name in loaded if name.split(".")[0] in HEAVY or name in HEAVY] == []
    assert "festaf.sensors.feature_set" in loaded
