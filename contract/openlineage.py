"""OpenLineage events (specification 2-0-2), as far as festaf must understand them; the rest is kept verbatim.

An event is told apart by structure, not by name: with ``run`` it is a run event, else with ``job`` a job event,
else with ``dataset`` a dataset event. https://openlineage.io/apidocs/openapi/
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from festaf.contract.model import Model, Moment, OpenModel

PRODUCER = "https://github.com/festaf/festaf"
RUN_EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
TASK_FACET = "festaf_task"
"""The run facet that carries a TaskRun under the key ``task``."""
DAG_FACET = "festaf_dag"
"""The job facet that carries a DagSnapshot under the key ``dag``."""
PARTITION_FACET = "festaf_partitions"
"""The output dataset facet that carries AssetPartitions under the key ``partitions``."""

Text = Annotated[str, StringConstraints(min_length=1)]


def _as_it_is(body: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Keep a JSON object itself: bodies are most of an event, and nobody changes them."""
    return body if isinstance(body, dict) else check(body)


Facets = dict[str, Annotated[dict[str, Any], WrapValidator(_as_it_is)]]


class EventType(StrEnum):
    """The transitions of a run."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"
    OTHER = "OTHER"

    @property
    def terminal(self) -> bool:
        """Tell whether a run that reached this state stays in it."""
        return self in {EventType.COMPLETE, EventType.ABORT, EventType.FAIL}


class Run(OpenModel):
    """A run by its id; a task instance's try or a DAG run."""

    run_id: UUID
    facets: Facets = Field(default_factory=dict)


class Job(OpenModel):
    """A job by namespace and name; ``dag_id.task_id`` for a task, ``dag_id`` for a DAG."""

    namespace: Text
    name: Text
    facets: Facets = Field(default_factory=dict)


class Dataset(OpenModel):
    """A dataset by namespace and name."""

    namespace: Text
    name: Text
    facets: Facets = Field(default_factory=dict)


class InputDataset(Dataset):
    """A dataset that a run read."""

    input_facets: Facets = Field(default_factory=dict)


class OutputDataset(Dataset):
    """A dataset that a run wrote."""

    output_facets: Facets = Field(default_factory=dict)


class BaseEvent(OpenModel):
    """What all events carry."""

    event_time: Moment
    producer: Text
    schema_url: Annotated[str, Field(alias="schemaURL")]


class RunEvent(BaseEvent):
    """Something happened to a run. Events of one run accumulate."""

    event_type: EventType | None = None
    run: Run
    job: Job
    inputs: tuple[InputDataset, ...] = ()
    outputs: tuple[OutputDataset, ...] = ()


class JobEvent(BaseEvent):
    """Something was learned about a job outside a run."""

    job: Job
    inputs: tuple[InputDataset, ...] = ()
    outputs: tuple[OutputDataset, ...] = ()


class DatasetEvent(BaseEvent):
    """Something was learned about a dataset outside a run."""

    dataset: Dataset


def _kind(value: Any) -> str | None:
    for kind in ("run", "job", "dataset"):
        if (kind in value) if isinstance(value, dict) else hasattr(value, kind):
            return kind
    return None


Event = Annotated[
    Annotated[RunEvent, Tag("run")] | Annotated[JobEvent, Tag("job")] | Annotated[DatasetEvent, Tag("dataset")],
    Discriminator(
        _kind,
        custom_error_type="no_event",
        custom_error_message="an event needs 'run' and 'job', or 'job', or 'dataset'",
    ),
]
EVENT: TypeAdapter[RunEvent | JobEvent | DatasetEvent] = TypeAdapter(Event)


class TaskRun(Model):
    """The run facet of a task: Airflow's own names for what ran."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int
    map_index: int = -1
    operator: str | None = None
    state: str
    started_at: Moment | None = None
    ended_at: Moment | None = None
    logical_date: Moment | None = None
    run_after: Moment | None = None
    run_type: str | None = None
    dag_version_id: UUID | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    hostname: str | None = None


class DagSnapshot(Model):
    """The job facet of a DAG: what one process saw of the DAG at one moment. What it could not see is None.

    A worker sees the source and the version's id; the scheduler sees the version's number and the next run.
    """

    dag_id: str
    dag_version_id: UUID | None = None
    version_number: int | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    path: str | None = None
    """Path of the DAG file inside its bundle."""
    source: str | None = None
    """Text of the DAG file as it ran."""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str | None = None
    schedule: str | None = None
    waits_for: tuple[str, ...] = ()
    """URIs of the assets that the schedule waits for, be it for any or for all of them."""
    next_run: Moment | None = None
    paused: bool | None = None
    deleted: bool | None = None
    """True when Airflow no longer has the DAG; False when it has it (again)."""
    fileloc: str | None = None
    """Path of the DAG file on the machine that parsed it."""
    last_parsed: Moment | None = None
    without: tuple[str, ...] = ()
    """Names of facts that the sender knows to be none, such as ``next_run``: an empty value alone means "not seen"."""


class AssetPartitions(Model):
    """Which partitions of an asset a run wrote, by the keys of Airflow's partitioned asset events."""

    keys: tuple[str, ...]


class FailedEvent(Model):
    """One event of a batch that was not taken."""

    index: int
    reason: str
    retriable: bool


class BatchSummary(Model):
    """How a batch went."""

    received: int
    successful: int
    failed: int
    retriable: int
    non_retriable: int


class BatchAnswer(Model):
    """The answer to ``POST /lineage/batch``, in the specification's shape."""

    status: Literal["success", "partial_success"]
    summary: BatchSummary
    failed_events: tuple[FailedEvent, ...] = ()
