"""The graphs of Marquez's read interface."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from festaf.contract.marquez import Facets, Field, Id, InputField, Run, RunState, Shape, VersionId
from festaf.contract.model import Moment


class Edge(Shape):
    """An edge between two nodes of a graph."""

    origin: str
    destination: str


class DatasetNode(Shape):
    """A dataset in a graph."""

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
    description: str | None = None
    last_lifecycle_state: str | None = None
    facets: Facets


class JobNode(Shape):
    """A job in a graph."""

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


class GraphNode(Shape):
    """A node of the graph of jobs and datasets."""

    id: str
    type: Literal["JOB", "DATASET"]
    data: JobNode | DatasetNode
    in_edges: tuple[Edge, ...]
    out_edges: tuple[Edge, ...]


class Graph(Shape):
    """The graph around a job or dataset."""

    graph: tuple[GraphNode, ...]
    truncated: bool = False
    """True when a bound cut it; Marquez has no bound."""


class InputFieldNode(InputField):
    """A column that goes into another, in a graph."""

    dataset_version: UUID | None = None


class FieldNodeData(Shape):
    """A column in a graph."""

    namespace: str
    dataset: str
    dataset_version: UUID | None = None
    field: str
    field_type: str | None = None
    transformation_description: str | None = None
    transformation_type: str | None = None
    input_fields: tuple[InputFieldNode, ...]


class FieldNode(Shape):
    """A node of the graph of columns. Its edges begin at itself, both ways: so Marquez draws them."""

    id: str
    type: Literal["DATASET_FIELD"] = "DATASET_FIELD"
    data: FieldNodeData
    in_edges: tuple[Edge, ...]
    out_edges: tuple[Edge, ...]


class FieldGraph(Shape):
    """The graph around columns."""

    graph: tuple[FieldNode, ...]
    truncated: bool = False


class JobSummary(Id):
    """The job of a run that fed another."""

    version: UUID | None = None


class RunSummary(Shape):
    """A run that fed another."""

    id: UUID
    start: Moment | None = None
    end: Moment | None = None
    status: RunState


class InputSummary(VersionId):
    """A version of a dataset that a run read, and the run that had written it."""

    produced_by_run_id: UUID | None = None


class UpstreamRun(Shape):
    """A run, what it is of, and what it read."""

    job: JobSummary
    run: RunSummary
    inputs: tuple[InputSummary, ...]


class UpstreamRuns(Shape):
    """The runs that a run's values came from, the run itself first."""

    runs: tuple[UpstreamRun, ...]
