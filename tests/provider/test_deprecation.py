"""What is deprecated works on, warns at the user's line, and says what to use until when."""

from __future__ import annotations

import inspect
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import AirflowProviderDeprecationWarning
from airflow.sdk import DAG
from packaging.version import Version

import festaf
from festaf.provider import deprecation
from festaf.provider.deprecation import DEPRECATIONS, Renamed, deprecated
from festaf.sensors.feature_set import FeatureFreshnessSensor, FeatureSetReadySensor
from tests.dag_serialization import DagSerialization

SENSOR = (
    r"FeatureSetReadySensor\(athena_output=\.\.\.\) is deprecated and will be removed in festaf 0\.3\.0: use output_loc"
)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deprecations.md"
DECLARED = tuple(DEPRECATIONS)


@pytest.fixture(autouse=True)
def unlisted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what tests mark out of the list."""
    monkeypatch.setattr(deprecation, "DEPRECATIONS", [])


def test_a_function_warns_and_works_on() -> None:
    @deprecated(replacement="add", removed_in="9.0")
    def plus(one: int, other: int) -> int:
        """Add two numbers."""
        return one + other

    with pytest.warns(AirflowProviderDeprecationWarning, match=r"plus is deprecated .* festaf 9\.0: use add$") as seen:
        assert plus(1, other=2) == 3
    assert seen[0].filename == __file__
    assert (plus.__doc__ or "").startswith("Add two numbers.\n\n.. deprecated:: 9.0")
    assert list(inspect.signature(plus).parameters) == ["one", "other"]


def test_a_class_warns_when_it_is_made_and_stays_a_class() -> None:
    @deprecated(replacement="Wing", removed_in="9.0")
    class Flap:
        """Lift."""

        def __init__(self, size: int) -> None:
            self.size = size

    with pytest.warns(AirflowProviderDeprecationWarning, match="Flap is deprecated") as seen:
        made = Flap(size=3)
    assert isinstance(made, Flap)
    assert (made.size, seen[0].filename, Flap.__name__) == (3, __file__, "Flap")
    assert "use Wing" in (Flap.__doc__ or "")


def test_an_argument_goes_to_its_new_name() -> None:
    @deprecated(argument="colour", replacement="color", removed_in="9.0")
    def paint(*, color: str = "red", **more: Any) -> tuple[str, dict[str, Any]]:
        """Paint."""
        return color, more

    with pytest.warns(AirflowProviderDeprecationWarning, match=r"paint\(colour=\.\.\.\) is deprecated"):
        assert paint(colour="blue", wide=1) == ("blue", {"wide": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert paint(color="blue") == ("blue", {})
    with pytest.raises(TypeError, match="both are given"):
        paint(colour="blue", color="green")
    assert list(inspect.signature(paint).parameters) == ["color", "colour", "more"]


def test_an_attribute_is_read_and_written_under_its_old_name() -> None:
    class Plane:
        colour = Renamed("color", removed_in="9.0")
        color = "red"

    plane = Plane()
    with pytest.warns(AirflowProviderDeprecationWarning, match=r"Plane\.colour is deprecated .* use color") as seen:
        assert plane.colour == "red"
    with pytest.warns(AirflowProviderDeprecationWarning):
        plane.colour = "blue"
    assert (plane.color, seen[0].filename) == ("blue", __file__)


@pytest.mark.parametrize(("kind", "more"), [(FeatureSetReadySensor, {}), (FeatureFreshnessSensor, {"max_age": 60})])
def test_the_sensors_old_name_of_the_results_place_works(kind: Any, more: dict[str, Any]) -> None:
    with pytest.warns(AirflowProviderDeprecationWarning, match=SENSOR) as seen:
        sensor = kind(task_id="ready", feature_set="planes", athena_output="s3://lake/{{ ds }}", **more)
    assert seen[0].filename == __file__
    assert sensor.output_location == "s3://lake/{{ ds }}"
    sensor.render_template_fields({"ds": "2013-01-01"})
    assert sensor.output_location == "s3://lake/2013-01-01"
    with pytest.warns(AirflowProviderDeprecationWarning):
        assert sensor.athena_output == "s3://lake/2013-01-01"


def test_the_new_name_does_not_warn_and_a_dag_is_serialised() -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        FeatureSetReadySensor(task_id="ready", feature_set="planes", output_location="s3://lake/there")
    found = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).get_task("ready")
    assert found.output_location == "s3://lake/there"


def test_the_old_name_works_in_default_args_and_in_mapped_tasks() -> None:
    asked: dict[str, Any] = {"schedule": None, "start_date": datetime(2026, 1, 1, tzinfo=UTC)}
    with (
        pytest.warns(AirflowProviderDeprecationWarning, match=SENSOR),
        DAG("dag", **asked, default_args={"athena_output": "s3://lake/there"}),
    ):
        sensor = FeatureSetReadySensor(task_id="ready", feature_set="planes")
    assert sensor.output_location == "s3://lake/there"
    with DAG("dag", **asked):
        mapped = FeatureSetReadySensor.partial(task_id="ready", athena_output="s3://lake/there").expand(
            feature_set=["planes", "trains"]
        )
    assert mapped.partial_kwargs["athena_output"] == "s3://lake/there"


def test_every_deprecation_is_documented_and_none_is_overdue() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert DECLARED
    for item in DECLARED:
        assert f"`{item.name}` | `{item.replacement}` | {item.removed_in} |" in page
        assert Version(item.removed_in) > Version(festaf.__version__), f"remove {item.name} now"
