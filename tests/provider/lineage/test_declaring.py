"""What an author declares is checked where it stands, and ends up in the task's outlets, inlets and asset events."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, Asset, task
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow.settings import task_policy

from festaf.operators.lineage import consumes, declare, produces, wrote
from festaf.provider.errors import InputError
from festaf.provider.lineage.declared import declared_of
from tests.dag_serialization import DagSerialization

if TYPE_CHECKING:
    from collections.abc import Callable

WEATHER = Asset("x-festaf://nyc/weather")
WIND = {"name": "wind", "type": "Fractional", "sources": ["s3://lake/raw.parquet#speed"]}
LEVEL = produces("nyc/weather", features=[WIND], owner="team:sky", fresh_within=timedelta(hours=1))


def _uris(assets: Any) -> list[str]:
    return [asset.uri for asset in assets]


def _ended(operator: Any, said: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let a task of its hook end, after it attached what is given; give what stands in the asset's event."""
    events = OutletEventAccessors()
    if said is not None:
        events[WEATHER].extra["festaf"] = said
    operator._post_execute_hook({"outlet_events": events}, "result")
    found: dict[str, Any] = events[WEATHER].extra["festaf"]
    return found


def _python(number: int = 1) -> int:
    return number


@pytest.mark.parametrize(
    "make",
    [
        lambda: LEVEL(consumes("s3://lake/raw.parquet")(task(_python))),
        lambda: task(consumes("s3://lake/raw.parquet")(LEVEL(lambda number=1: number))),
    ],
    ids=["above", "below"],
)
def test_a_taskflow_task_is_declared_above_and_below_its_decorator(make: Callable[[], Any]) -> None:
    with DAG("dag", schedule=None):
        decorated = make().override(task_id="one")
        operator = decorated().operator
        mapped = decorated.override(task_id="many").expand(number=[1, 2]).operator
    for made in (operator, mapped):
        task_policy(made)
        task_policy(made)
        assert _uris(made.outlets) == ["x-festaf://nyc/weather"]
        assert made.inlets == []
    for made in (operator, mapped.unmap({"op_kwargs": {"number": 1}})):
        fact = _ended(made)
        assert fact["inputs"] == ["s3://lake/raw.parquet"]
        assert fact["rows_accepted"] is None
        (feature,) = fact["features"]
        assert (feature["owner"], feature["fresh_within_seconds"]) == ("team:sky", 3600.0)
        assert feature["sources"] == ["s3://lake/raw.parquet#speed"]


def test_the_serialised_dag_is_the_same_each_time() -> None:
    def text() -> str:
        with DAG("dag", schedule=None) as dag:
            LEVEL(task(_python)).override(task_id="many").expand(number=[1, 2])
            LEVEL(task(_python)).override(task_id="one")()
        return str(DagSerialization.to_dict(dag))

    assert text() == text()
    assert "0x" not in text()


def test_what_the_task_counted_stays_and_is_completed_by_what_was_declared() -> None:
    with DAG("dag", schedule=None):
        operator = LEVEL(task(_python))().operator
    fact = _ended(operator, {"kind": "write", "project": "nyc", "feature_set": "weather", "rows_accepted": 5})
    assert (fact["rows_accepted"], fact["features"][0]["name"]) == (5, "wind")


def test_an_operator_is_declared_after_it_was_made_and_keeps_its_own_hook() -> None:
    called: list[Any] = []
    with DAG("dag", schedule=None):
        operator = task(outlets=[WEATHER], post_execute=lambda context, result: called.append(result))(
            _python
        )().operator
        assert declare(operator, produces=[LEVEL], consumes=consumes(Asset("x-festaf://nyc/planes"))) is operator
    assert _uris(operator.outlets) == ["x-festaf://nyc/weather"]
    assert _uris(operator.inlets) == ["x-festaf://nyc/planes"]
    assert declared_of(operator).consumed == ("x-festaf://nyc/planes",)
    assert _ended(operator)["features"]
    assert called == ["result"]


def test_rows_are_counted_in_a_running_task(monkeypatch: pytest.MonkeyPatch) -> None:
    events = OutletEventAccessors()
    context = {"outlet_events": events, "task": SimpleNamespace(outlets=[WEATHER])}
    monkeypatch.setattr("airflow.sdk.get_current_context", lambda: context)
    wrote("nyc/weather", rows=7, rejected=1)
    fact = events[WEATHER].extra["festaf"]
    assert (fact["rows_read"], fact["rows_accepted"], fact["rows_rejected"]) == (8, 7, 1)
    with pytest.raises(InputError, match="no outlet x-festaf://nyc/other"):
        wrote("nyc/other", rows=1)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: produces("nyc/weather/more"), "does not name a feature set"),
        (lambda: produces("s3://bucket/key"), "does not name a feature set"),
        (lambda: produces("n y c/weather"), "is no project name"),
        (lambda: produces(7), "not by 7"),  # type: ignore[arg-type] # the author's mistake
        (lambda: produces("nyc/weather", owner="ann"), "list the features"),
        (lambda: produces("nyc/weather", features=[{"name": "wind"}]), "has no type"),
        (lambda: produces("nyc/weather", features=[{"name": "wind", "type": "Float"}]), "field type is wrong"),
        (lambda: produces("nyc/weather", features=[{"nam": "wind"}]), "does not describe a feature"),
        (lambda: produces("nyc/weather", features=[WIND | {"sources": ["raw.csv"]}]), "'raw.csv' is no source"),
        (lambda: produces("nyc/weather", features=[WIND, WIND]), "'wind' is declared twice"),
        (consumes, "at least one"),
        (lambda: consumes("raw.csv"), "'raw.csv' is no source"),
        (lambda: consumes("s3://bucket/key#column"), "names a column"),
        (lambda: LEVEL(LEVEL(task(_python))), "nyc/weather is declared twice for one task"),
        (lambda: LEVEL(7), "is no task and no function"),
    ],
)
def test_a_wrong_declaration_names_what_is_wrong_and_the_line(wrong: Callable[[], Any], why: str) -> None:
    with pytest.raises(InputError, match=why) as error:
        wrong()
    assert str(error.value).startswith(f"{Path(__file__)}:")
