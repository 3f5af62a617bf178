"""Jobs, datasets and runs with everything that an answer needs of them, and what their facets say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from festaf.contract.openlineage import DAG_FACET, EventType
from festaf.registry_api.catalog.run_repository import RunRow, Written
from festaf.registry_api.catalog.saying import DEFAULT_SOURCE, Subject
from festaf.registry_api.catalog.tables import DatasetTable, JobTable
from festaf.registry_api.catalog.versions import dataset_version_id
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.lineage.folding import DatasetState, RunState
from festaf.registry_api.lineage.reading import attached_sha256, names_field

Facets = Mapping[str, dict[str, Any]]
NIL = UUID(int=0)
CODE = ((DAG_FACET, ("dag", "source")), ("sourceCode", ("sourceCode",)), ("sql", ("query",)))
"""Where code stands in a job's facets."""


@dataclass(frozen=True)
class InRun:
    """A dataset in a run: the version that it read or wrote; an input may have none that is known."""

    state: DatasetState
    version: Written | None

    @property
    def subject(self) -> Subject:
        """Name the dataset."""
        return Subject("dataset", self.state.namespace, self.state.name)

    @property
    def version_id(self) -> UUID:
        """Give the version's id; one of its own when no run is known to have written it."""
        return dataset_version_id(self.subject.key, self.version.run if self.version else NIL)


@dataclass(frozen=True)
class Column:
    """A field of a dataset; one inside another is named ``outer.inner``."""

    name: str
    type: str | None
    description: str | None


@dataclass(frozen=True)
class DescribedRun:
    """A run."""

    row: RunTable
    state: RunState
    job_version: UUID | None
    inputs: tuple[InRun, ...]
    outputs: tuple[InRun, ...]
    visible: bool
    """False when the caller may not see the job."""


@dataclass(frozen=True)
class DescribedJob:
    """A job."""

    row: JobTable
    facets: dict[str, dict[str, Any]]
    tags: tuple[str, ...]
    inputs: tuple[Subject, ...]
    outputs: tuple[Subject, ...]
    latest_run: DescribedRun | None
    latest_runs: tuple[RunRow, ...]
    current_version: UUID | None


@dataclass(frozen=True)
class DescribedDataset:
    """A dataset."""

    row: DatasetTable
    facets: dict[str, dict[str, Any]]
    tags: tuple[tuple[str, str], ...]
    """Pairs of field, empty for the whole, and tag."""
    version: Written | None
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        """Name the columns, those that only the column lineage names, too."""
        said = self.facets.get("columnLineage", {}).get("fields")
        more = said if isinstance(said, dict) else {}
        return list(dict.fromkeys([*(column.name for column in self.columns), *sorted(filter(names_field, more))]))

    @property
    def version_id(self) -> UUID | None:
        """Give the id of the version that stands."""
        return dataset_version_id(self.row.key, self.version.run) if self.version else None


def linked_dataset(subject: Subject, number: int, seen: datetime) -> DatasetTable:
    """Make the row of a dataset that no event speaks of by itself; it is not to be stored.

    :param number: tells it from others, and from all that are stored
    """
    said = {"first_seen": seen, "last_seen": seen, "stamps": {}, "source_name": DEFAULT_SOURCE, "source_uri": None}
    return DatasetTable(id=number, **subject.columns, **said)


def columns_of(facets: Facets) -> list[Column]:
    """Read the fields of a dataset out of its ``schema`` facet, those inside others, too."""
    return _columns(facets.get("schema", {}).get("fields"), "", set())


def _columns(fields: Any, prefix: str, seen: set[str]) -> list[Column]:
    found: list[Column] = []
    for item in fields if isinstance(fields, list) else ():
        name = item.get("name") if isinstance(item, dict) else None
        if not names_field(name) or f"{prefix}{name}" in seen:
            continue
        seen.add(f"{prefix}{name}")
        found.append(Column(f"{prefix}{name}", _text(item.get("type")), _text(item.get("description"))))
        found += _columns(item.get("fields"), f"{prefix}{name}.", seen)
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def text_in(facets: Facets, facet: str, name: str) -> str | None:
    """Read a text out of a facet."""
    return _text(facets.get(facet, {}).get(name))


def state_name(state: str | None, *, started: bool) -> str:
    """Say a run's state in Marquez's words."""
    if state is None or state == EventType.OTHER:
        return "RUNNING" if started else "NEW"
    return STATES[EventType(state)]


STATES: dict[EventType, str] = {
    EventType.START: "RUNNING",
    EventType.RUNNING: "RUNNING",
    EventType.COMPLETE: "COMPLETED",
    EventType.FAIL: "FAILED",
    EventType.ABORT: "ABORTED",
}


def hashes_in(facets: Iterable[Facets]) -> set[str]:
    """Give the hashes that stand in job facets in place of code."""
    return {found for one in facets for facet, path in CODE if (found := attached_sha256(_at(one.get(facet), path)))}


def with_code(facets: Facets, texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Put the code back where it stood, so that facets are given as they came."""
    found = dict(facets)
    for facet, path in CODE:
        sha256 = attached_sha256(_at(facets.get(facet), path))
        if sha256 is not None and sha256 in texts:
            found[facet] = _put(facets[facet], path, texts[sha256])
    return found


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(body: dict[str, Any], path: tuple[str, ...], text: str) -> dict[str, Any]:
    name, rest = path[0], path[1:]
    return {**body, name: _put(body[name], rest, text) if rest else text}
