"""Let an event pass only if its sender may write everything that it states facts of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.names import PROJECT_PATTERN, SCHEME, DatasetName, project_of
from festaf.contract.openlineage import DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.project_repository import ProjectRepository
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.errors import ForbiddenError

Event = RunEvent | JobEvent | DatasetEvent
Facets = Mapping[str, dict[str, Any]]
OURS = "festaf_"
"""How the names of our own facets begin."""


class EventGate:
    """Tells which events of a caller are taken.

    The job's namespace has to be that of a project which the caller may write, and so has every feature set and other
    artifact that the event writes, gives another name or says the lineage of. A dataset outside, such as a bucket, may
    be written by everybody unless its namespace was given to a project. A run that is known stays its sender's.
    """

    def __init__(self, session: Session, caller: Caller, now: datetime) -> None:
        self.session = session
        self.caller = caller
        self.now = now
        self.projects: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Let an event pass.

        :raises ForbiddenError: the caller may not write something that it states facts of
        """
        namespaces, projects = _written(event)
        if not self.caller.writes.everything:
            self._check(event, namespaces, projects)
        self.projects |= projects

    def make_projects(self) -> None:
        """Make the projects that came up for the first time; only one who may write everywhere can name such."""
        if self.caller.writes.everything:
            ProjectService(self.session, self.now).ensure(self.projects, self.caller.name)

    def _check(self, event: Event, namespaces: set[str], projects: set[str]) -> None:
        asserting = event.dataset.namespace if isinstance(event, DatasetEvent) else event.job.namespace
        if not self.caller.may_write_namespace(asserting):
            raise ForbiddenError(f"{self.caller.name!r} may not write in the namespace {asserting!r}")
        for project in sorted(projects):
            self.caller.require_write(project)
        for namespace in sorted(namespaces):
            if namespace.startswith(SCHEME) or namespace in self._given:
                self._require_namespace(namespace)
        if isinstance(event, RunEvent):
            known = ProjectRepository(self.session).namespace_of_run(event.run.run_id)
            if known is not None and not self.caller.may_write_namespace(known):
                raise ForbiddenError(f"the run {event.run.run_id} is another sender's")

    def _require_namespace(self, namespace: str) -> None:
        if not self.caller.may_write_namespace(namespace):
            raise ForbiddenError(f"{self.caller.name!r} may not write in the namespace {namespace!r}")

    @cached_property
    def _given(self) -> dict[str, str]:
        return ProjectRepository(self.session).namespaces()


def _written(event: Event) -> tuple[set[str], set[str]]:
    """Give the namespaces and the projects that an event states facts of."""
    namespaces: set[str] = set()
    projects: set[str] = set()
    if isinstance(event, DatasetEvent):
        described = [(event.dataset.namespace, event.dataset.facets)]
    else:
        projects |= {*_said(event.job.facets), *(_said(event.run.facets) if isinstance(event, RunEvent) else ())}
        described = [(item.namespace, {**item.facets, **getattr(item, "output_facets", {})}) for item in event.outputs]
        namespaces |= {str(item["namespace"]) for item in _items(event.job.facets, "lineage", "entries")}
        for item in event.inputs:
            namespaces |= set(_renamed(item.facets))
    for namespace, facets in described:
        namespaces |= {namespace, *_renamed(facets)}
        projects |= set(_said(facets))
    ours = {project_of(DatasetName(namespace, "")) for namespace in namespaces}
    return namespaces, projects | {project for project in ours if project is not None}


def _renamed(facets: Facets) -> Iterator[str]:
    """Give the namespaces of other names that a dataset is given."""
    yield from (str(item["namespace"]) for item in _items(facets, "symlinks", "identifiers"))
    previous = facets.get("lifecycleStateChange", {}).get("previousIdentifier")
    if isinstance(previous, Mapping) and "namespace" in previous:
        yield str(previous["namespace"])


def _said(facets: Facets) -> Iterator[str]:
    """Give the projects of which facets of ours speak, whatever they say of them."""
    for said in (part for name, body in facets.items() if name.startswith(OURS) for part in body.values()):
        project = said.get("project") if isinstance(said, Mapping) else None
        if isinstance(project, str) and PROJECT_PATTERN.fullmatch(project):
            yield project


def _items(facets: Facets, facet: str, part: str) -> Iterable[Mapping[str, Any]]:
    items = facets.get(facet, {}).get(part)
    if not isinstance(items, list):
        return ()
    return (item for item in items if isinstance(item, Mapping) and "namespace" in item)
