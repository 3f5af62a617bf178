"""Marquez's read interface (version 0.51): the shapes that its clients and its web page read.

https://marquezproject.ai/docs/api/ - names and nesting are Marquez's. What it leaves open is told in
``docs/reference/marquez.md``.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from festaf.contract.model import Moment

Facets = dict[str, dict[str, Any]]
RunState = Literal["NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED"]


class Shape(BaseModel):
    """An immutable value in Marquez's spelling (camelCase)."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Namespace(Shape):
    """A namespace of jobs and datasets."""

    name: str
    created_at: Moment
    updated_at: Moment
    owner_name: str
    description: str | None = None
    is_hidden: bool = False


class Namespaces(Shape):
    """A part of the namespaces."""

    namespaces: tuple[Namespace, ...]


class NamespaceNote(BaseModel):
    """What may be set of a namespace."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    owner_name: str
    description: str | None = None


class Source(Shape):
    """Where datasets are kept."""

    type: str
    name: str
    created_at: Moment
    updated_at: Moment
    connection_url: str
    description: str | None = None


class Sources(Shape):
    """A part of the sources."""

    sources: tuple[Source, ...]


class Tag(Shape):
    """A tag."""

    name: str
    description: str | None = None


class Tags(Shape):
    """A part of the tags."""

    tags: tuple[Tag, ...]


class TagNote(BaseModel):
    """What may be set of a tag."""

    description: str | None = None


class Id(Shape):
    """A job or dataset by its name."""

    namespace: str
    name: str


class VersionId(Id):
    """A version of a job or dataset."""

    version: UUID


class VersionInRun(Shape):
    """A version of a dataset that a run read or wrote, with the facets that the run gave it."""

    dataset_version_id: VersionId
    facets: Facets


class Run(Shape):
    """A run, folded from its events by event time."""

    id: UUID
    created_at: Moment
    updated_at: Moment
    nominal_start_time: Moment | None = None
    nominal_end_time: Moment | None = None
    state: RunState
    started_at: Moment | None = None
    ended_at: Moment | None = None
    duration_ms: int | None = None
    args: dict[str, str] = {}
    job_version: VersionId | None = None
    input_dataset_versions: tuple[VersionInRun, ...] = ()
    output_dataset_versions: tuple[VersionInRun, ...] = ()
    facets: Facets = {}


class Runs(Shape):
    """A part of a job's runs, the newest first."""

    runs: tuple[Run, ...]
    total_count: int


class RunFacets(Shape):
    """The facets of a run or of its job."""

    run_id: UUID
    facets: Facets


class Job(Shape):
    """A job with its newest runs."""

    id: Id
    type: Literal["BATCH", "STREAM", "SERVICE"]
    name: str
    simple_name: str
    parent_job_name: str | None = None
    parent_job_uuid: UUID | None = None
    created_at: Moment
    updated_at: Moment
    namespace: str
    inputs: tuple[Id, ...]
    outputs: tuple[Id, ...]
    location: str | None = None
    description: str | None = None
    latest_run: Run | None = None
    latest_runs: tuple[Run, ...] | None = None
    """None and not empty when there is none: Marquez's page goes blank at an empty list."""
    facets: Facets
    current_version: UUID | None = None
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Jobs(Shape):
    """A part of the jobs."""

    jobs: tuple[Job, ...]
    total_count: int


class JobVersion(Shape):
    """What a job did and by which code."""

    id: VersionId
    name: str
    created_at: Moment
    version: UUID
    namespace: str
    location: str | None = None
    inputs: tuple[Id, ...]
    outputs: tuple[Id, ...]
    latest_run: Run | None = None
    facets: Facets = {}


class JobVersions(Shape):
    """A part of a job's versions, the newest first."""

    versions: tuple[JobVersion, ...]
    total_count: int


class Field(Shape):
    """A column of a dataset; one inside another is named ``outer.inner``."""

    name: str
    type: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None


class InputField(Shape):
    """A column that another is made of."""

    namespace: str
    dataset: str
    field: str
    transformation_description: str | None = None
    transformation_type: str | None = None


class FieldLineage(Shape):
    """What a column of a dataset is made of, directly."""

    name: str
    input_fields: tuple[InputField, ...]
    transformation_description: str | None = None
    transformation_type: str | None = None


class Dataset(Shape):
    """A dataset as the events accumulated."""

    id: Id
    type: Literal["DB_TABLE", "STREAM"] = "DB_TABLE"
    name: str
    physical_name: str
    created_at: Moment
    updated_at: Moment
    namespace: str
    source_name: str
    fields: tuple[Field, ...]
    tags: tuple[str, ...]
    last_modified_at: Moment | None = None
    last_lifecycle_state: str | None = None
    description: str | None = None
    current_version: UUID | None = None
    column_lineage: tuple[FieldLineage, ...] | None = None
    facets: Facets
    deleted: bool = False


class Datasets(Shape):
    """A part of a namespace's datasets."""

    datasets: tuple[Dataset, ...]
    total_count: int


class DatasetVersion(Shape):
    """What one run wrote of a dataset."""

    id: VersionId
    type: Literal["DB_TABLE", "STREAM"] = "DB_TABLE"
    name: str
    physical_name: str
    created_at: Moment
    version: UUID
    namespace: str
    source_name: str
    fields: tuple[Field, ...]
    tags: tuple[str, ...]
    lifecycle_state: str | None = None
    description: str | None = None
    current_schema_version: UUID | None = None
    created_by_run: Run | None = None
    facets: Facets
    external_version: str | None = None
    """Of the ``version`` facet: what the storage itself calls it."""


class DatasetVersions(Shape):
    """A part of a dataset's versions, the newest first."""

    versions: tuple[DatasetVersion, ...]
    total_count: int


class Events(Shape):
    """A part of the events, as they came."""

    events: tuple[dict[str, Any], ...]
    total_count: int
    """Counted up to 100,000."""


class SearchResult(Shape):
    """A job or dataset whose name was searched for."""

    name: str
    namespace: str
    node_id: str
    type: Literal["JOB", "DATASET"]
    updated_at: Moment


class SearchResults(Shape):
    """What a search found."""

    total_count: int
    results: tuple[SearchResult, ...]


class LineageMetric(Shape):
    """How many events of each kind happened in an interval."""

    start_interval: Moment
    end_interval: Moment
    fail: int
    start: int
    complete: int
    abort: int


class IntervalMetric(Shape):
    """How many jobs, datasets or sources were known at the end of an interval."""

    start_interval: Moment
    end_interval: Moment
    count: int
