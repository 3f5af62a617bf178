"""Of a feature set that several mapped instances of one task write, the answer names the instance, whoever tells it."""

from __future__ import annotations

import random
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.openlineage import TASK_FACET
from tests.client.recorder import Recorder
from tests.provider.lineage.airflow import Airflow, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.provider.lineage.synced import Synced
    from tests.registry_api.events import Json

    Made = tuple[int, int, int, str]

pytest.importorskip("orjson", reason="the registry is not installed beside the oldest Airflow")
pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(600)]

DAGS = Path(__file__).parent / "mapping"
INSTANCES = (0, 1, 2)
EVENTS = 6
"""Two of the DAG run, and one for each of four tries."""
FEATURES = ("load", "load_0", "load_1", "load_2")


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder.started() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def airflow(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    with Airflow.started(tmp_path_factory.mktemp("mapped"), recorder.port, DAGS) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def told(airflow: Airflow, recorder: Recorder) -> list[Json]:
    """Run the DAG, and give what its tasks and the scheduler told."""
    assert airflow.run("ferries").state == "success"
    return until(lambda: list(recorder.events), lambda events: len(events) >= EVENTS)


@pytest.fixture
def ways(airflow: Airflow, tmp_path: Path) -> Iterator[Callable[[], Synced]]:
    """Give new registries that may read the Airflow."""
    from tests.provider.lineage.synced import synced

    numbers = count()
    with ExitStack() as stack:

        def another() -> Synced:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return stack.enter_context(synced(airflow, folder))

        yield another


def test_each_instance_is_told_by_whoever_tells_it_in_any_order(
    told: list[Json], ways: Callable[[], Synced], airflow: Airflow
) -> None:
    right = _right(airflow)
    assert {index for index, *_ in right.values()} == {0, 1, 2}
    assert right["load_1"][1] == 2
    pushed, read = ways(), ways()
    pushed.registry.post(*told)
    read.read()
    assert (_made(pushed), _made(read)) == (right, right)
    assert {_text(pushed, name) for name in FEATURES} == {(DAGS / "ferries.py").read_text()}
    assert {_text(read, name) for name in FEATURES} == {None}
    whole = _answers(pushed)

    read.registry.post(*told)
    assert pushed.read().counts()["known_already"] == len(INSTANCES)
    backwards = ways()
    backwards.registry.post(*reversed(told))
    assert [_answers(one) for one in (read, pushed, backwards)] == [whole] * 3
    for index in INSTANCES:
        partly = ways()
        partly.registry.post(*(event for event in told if _index(event) == index))
        assert partly.read().counts()["known_already"] == 1
        assert _made(partly) == right
        partly.registry.post(*random.Random(index).sample(told, len(told)))
        assert _answers(partly) == whole


def test_no_instance_is_taken_for_another_when_airflow_has_deleted_the_run(
    told: list[Json], ways: Callable[[], Synced], airflow: Airflow
) -> None:
    right = _right(airflow)
    run = airflow.api.latest_run("ferries")
    assert run
    airflow.api._client.delete(f"/api/v2/dags/ferries/dagRuns/{run.run_id}").raise_for_status()
    partly = ways()
    partly.registry.post(*(event for event in told if _index(event) == 1))

    assert partly.read().counts()["known_already"] == 1
    made = _made(partly)
    for index in INSTANCES:
        # When the others ended is known no better than when their asset events were stored.
        assert made[f"load_{index}"][:3] == right[f"load_{index}"][:3]


def _index(event: Json) -> int | None:
    task = event["run"]["facets"].get(TASK_FACET, {}).get("task")
    return task["map_index"] if task else None


def _right(airflow: Airflow) -> dict[str, Made]:
    """Give by feature which instance wrote it last, as Airflow tells it."""
    path = "/api/v2/dags/ferries/dagRuns/~/taskInstances"
    items = airflow.api._client.get(path).raise_for_status().json()["task_instances"]
    made = {
        item["map_index"]: (item["map_index"], item["try_number"], 10 + item["map_index"], item["end_date"])
        for item in items
    }
    last = max(made.values(), key=lambda found: found[3])
    return {"load": last, **{f"load_{index}": made[index] for index in INSTANCES}}


def _made(told: Synced) -> dict[str, Made]:
    """Give by feature map index, try, accepted rows and end of the run that made its values."""
    found = {}
    for name in FEATURES:
        run = told.registry.feature(name, "ferries", "sea")["run"]
        found[name] = (run["map_index"], run["try_number"], run["rows"]["accepted"], run["ended_at"])
    return found


def _text(told: Synced, name: str) -> str | None:
    file = told.registry.feature(name, "ferries", "sea")["how"]["dag_file"]
    return file["text"] if file else None


def _answers(told: Synced) -> list[Any]:
    """Give everything that is said of the features but when they run next, which only the sync asks, and their age."""
    answers = [told.registry.feature(name, "ferries", "sea") for name in FEATURES]
    for answer in answers:
        answer["when"] |= {"next_run": None, "dag_paused": None, "freshness": None}
        answer["origins"].pop("when.dag_paused", None)
    return answers
