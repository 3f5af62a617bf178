"""A registry that a benchmark makes from one division's rows is the one that the events of all would have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.divisions import copy
from benchmarks.story import Story

from tests.registry_api.conftest import Registry, open_registry

if TYPE_CHECKING:
    from pathlib import Path

STORY = Story(sets=12, features=2, sources=3)
OTHER = replace(STORY, division=1)


def tell(registry: Registry, story: Story) -> None:
    answer = registry.http.post("/api/v1/lineage/batch", json=list(story.events(2)))
    assert answer.status_code < 300, answer.text


def answers(registry: Registry) -> list[Any]:
    """Ask a lot of the other division."""
    asked = []
    for number in (0, 5, 11):
        path = f"/features/{'/'.join(OTHER.names(number))}/f_{number}_1"
        asked += [path, f"{path}/impact", f"{path}/lineage", f"{path}/history"]
    asked.append(f"/search/features?q=project3{OTHER.mark}")
    return [without_ids(registry.get(path)) for path in asked]


def without_ids(answer: Any) -> Any:
    """Leave out what no division tells: ids of runs and versions, and when the registry learned."""
    if isinstance(answer, dict):
        hidden = ("openlineage_run_id", "recorded_at", "version", "cursor", "runId")
        return {name: without_ids(value) for name, value in answer.items() if name not in hidden}
    return [without_ids(item) for item in answer] if isinstance(answer, list) else answer


def test_a_copied_division_answers_as_one_that_was_told(registry: Registry, tmp_path: Path) -> None:
    tell(registry, STORY)
    copy(registry.database.engine.url.render_as_string(hide_password=False), 2)
    with open_registry(f"sqlite:///{tmp_path / 'told.db'}") as told:
        tell(told, STORY)
        tell(told, OTHER)
        assert answers(registry) == answers(told)
    tell(registry, replace(STORY, division=2))
