"""What is told of one run at a time: what it and its parent had said by then."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.registry_api.events import RICH, VERSION, at, dag_event, run_of, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

EARLIER = uuid.UUID(int=VERSION.int - 1)


def version(registry: Registry, minutes: float | None = None) -> str | None:
    """Give the DAG version that the task's run is said to have run, as of a minute or now."""
    view = {} if minutes is None else {"asOf": at(minutes).isoformat()}
    found: str | None = registry.get(f"/runs/{run_of()}", **view)["dag_version"]["id"]
    return found


def test_a_version_that_only_the_parent_named_counts_from_then_on(registry: Registry) -> None:
    registry.post(task_event(minutes=10, outputs=(written(RICH),), version=None), dag_event("COMPLETE", 20))

    assert version(registry, 15) is None
    assert version(registry, 20) == version(registry) == str(VERSION)


def test_of_two_versions_that_the_parent_named_the_one_that_stood_then_counts(registry: Registry) -> None:
    registry.post(
        dag_event("START", 2, version=EARLIER),
        task_event(minutes=10, outputs=(written(RICH),), version=None),
        dag_event("COMPLETE", 20),
    )

    assert version(registry, 15) == str(EARLIER)
    assert version(registry, 25) == version(registry) == str(VERSION)
