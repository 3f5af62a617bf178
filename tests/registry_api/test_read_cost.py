"""What a read costs: how many statements, which no load of the machine changes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.story import Story
from sqlalchemy import event

from festaf.registry_api.features.sources import FeatureGraph
from tests.registry_api.events import RICH, dag_event, dataset, declaration, feature_set, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.registry_api.conftest import Registry

FEATURE = "/features/nyc/delays/dep_delay"


@contextmanager
def counted(registry: Registry) -> Iterator[list[str]]:
    """Gather the statements that are sent to the database."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(registry.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(registry.database.engine, "before_cursor_execute", note)


def test_reads_take_few_statements_however_wide_the_graph_is(registry: Registry) -> None:
    consumers = [
        task_event(dag_id=f"down_{number}", minutes=30, inputs=(feature_set(),), outputs=(dataset(f"out_{number}"),))
        for number in range(8)
    ]
    inputs = tuple(dataset(f"in_{number}") for number in range(84))
    registry.post(task_event(inputs=inputs, outputs=(written(RICH),)), dag_event())
    assert registry.http.post("/api/v1/lineage/batch", json=consumers).status_code < 300

    with counted(registry) as graph:
        nodes = registry.get(f"{FEATURE}/lineage", limit=200)["nodes"]
    with counted(registry) as answer:
        consuming = registry.feature()["consumers"]
    with counted(registry) as impact:
        affected = registry.get(f"{FEATURE}/impact")["affected"]
    with counted(registry) as listed:
        assert registry.get("/features")["items"]

    assert (len(nodes), len(consuming), len(affected)) == (105, 16, 24)
    assert len(graph) <= 20
    assert len(answer) <= 28
    assert len(impact) <= 13
    assert len(listed) <= 2


def test_reads_take_as_few_statements_however_many_projects_the_graph_spans(registry: Registry) -> None:
    story = Story(sets=40, features=2)
    answer = registry.http.post("/api/v1/lineage/batch", json=list(story.events(1)))
    assert answer.status_code < 300, answer.text
    first, last = (registry_path(story, number) for number in (2, 39))

    with counted(registry) as graph:
        assert len(registry.get(f"{last}/lineage", direction="upstream", depth=4)["nodes"]) > 20
    with counted(registry) as impact:
        affected = registry.get(f"{first}/impact", depth=4)["affected"]

    assert len({item["namespace"] for item in affected}) > 10
    assert len(graph) <= 10
    assert len(impact) <= 16


def test_the_run_that_wrote_a_wide_feature_set_is_read_once(registry: Registry) -> None:
    columns = [declaration(f"column_{number}") for number in range(450)]
    registry.post(task_event(outputs=(written(*columns),)))
    with counted(registry) as sent:
        assert registry.http.put("/api/v1/feature-sets/nyc/delays", json={"owner": "ann"}).is_success

    assert len([statement for statement in sent if "FROM run LEFT OUTER JOIN dag" in statement]) == 1


def test_what_is_read_ahead_changes_no_answer(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(sets=40, features=2)
    answer = registry.http.post("/api/v1/lineage/batch", json=list(story.events(2)))
    assert answer.status_code < 300, answer.text

    def answers(number: int) -> list[Any]:
        path = registry_path(story, number)
        walks = [(side, limit) for side in ("upstream", "downstream", "both") for limit in (5, 60, 1000)]
        return [
            registry.get(path),
            registry.get(f"{path}/impact", depth=50, limit=30),
            *(registry.get(f"{path}/lineage", direction=side, depth=50, limit=limit) for side, limit in walks),
        ]

    foreseen = [answers(number) for number in (0, 17, 39)]
    monkeypatch.setattr(FeatureGraph, "foresee", lambda *_: None)
    registry.post(task_event(dag_id="other", outputs=(dataset("elsewhere"),)))
    assert [answers(number) for number in (0, 17, 39)] == foreseen


def registry_path(story: Story, number: int) -> str:
    """Name the first feature of a set of a story."""
    return f"/features/{'/'.join(story.names(number))}/f_{number}_0"
