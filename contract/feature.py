"""The answer to "where does this feature come from?", and the shorter one in a list."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.secrets import with_masked

Origin = Literal["declared", "lineage", "airflow", "lineage_facet", "column_lineage", "inputs_outputs"]
"""Who said it: the author's declaration, an OpenLineage event, or Airflow.

Of an edge that events say, which part of the event: the explicit lineage facet, the column lineage, or no more than the
inputs and outputs of a run. Where they contradict each other, the order is ``declared``, ``lineage_facet``,
``column_lineage``, ``inputs_outputs``.
"""


class FeatureSummary(Model):
    """A feature in a list."""

    project: str
    feature_set: str
    name: str
    type: str | None = None
    description: str | None = None
    owner: str | None = None
    dag_id: str | None = None
    """The DAG that wrote the values last."""
    dag_namespace: str | None = None
    """The Airflow of that DAG: another may have a DAG of the same id."""
    last_written: Moment | None = None
    deleted: bool = False


Access = Literal["accessible", "restricted", "deleted", "unknown"]
"""Whether the caller may see a neighbour. A restricted one is a stub without its name."""


class Who(Model):
    """Who answers for the feature."""

    owner: str | None = None
    dag_owners: tuple[str, ...] = ()


class Freshness(Model):
    """How old the newest values may be, and are; nothing is measured when no bound was declared."""

    bound_seconds: float | None = None
    """The declared bound; None when none was declared."""
    age_seconds: float | None = None
    """Age of the newest values at the time that the answer is for."""
    measured_by: Literal["last_event_time", "last_written"] | None = None
    """What the age counts from: the newest event time, else the end of the last write."""
    status: Literal["fresh", "stale", "unknown"] = "unknown"
    due_at: Moment | None = None
    """When the values become stale, or became so."""
    next_run_in_time: bool | None = None
    """Whether the next run starts before that; None when either is not known."""


class AwaitedAsset(Model):
    """An asset that the schedule of a DAG waits for; without a name when the caller may not see it."""

    uri: str | None
    dag_id: str | None = None
    """The DAG that writes it and runs next, among those that are known and may be seen."""
    dag_namespace: str | None = None
    """The Airflow of that DAG."""
    next_run: Moment | None = None
    """When that DAG runs next."""
    access: Access = "accessible"


class When(Model):
    """When it appeared, was last written, and will be written next. Times are UTC."""

    first_seen: Moment
    last_written: Moment | None = None
    """When the last production ended."""
    last_event_time: Moment | None = None
    """The newest event time among the rows that were written."""
    next_run: Moment | None = None
    """None, too, when the DAG is paused or deleted: then nothing is scheduled."""
    schedule: str | None = None
    waits_for: tuple[AwaitedAsset, ...] = ()
    """The assets of which an update makes the DAG run, when it runs by no clock."""
    dag_paused: bool | None = None
    """None when no Airflow was asked."""
    dag_deleted: bool = False
    """True when Airflow no longer has the DAG that wrote the values."""
    freshness: Freshness = Freshness()


class CodeLocation(Model):
    """Where the code is kept: what the ``sourceCodeLocation`` facet says, else the bundle."""

    url: str | None = None
    """A link to the file, for a browser."""
    repository_url: str | None = None
    path: str | None = None
    commit: str | None = None
    branch: str | None = None
    tag: str | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None


class Code(Model):
    """A text of code with its hash and where it stands."""

    language: Literal["python", "sql"] = "python"
    text: str | None = None
    sha256: Sha256 | None = None
    path: str | None = None
    masked: int = 0
    """In how many places the text held a secret that the registry masked."""

    @model_validator(mode="before")
    @classmethod
    def _count(cls, data: Any) -> Any:
        return with_masked(data, "text")


class How(Model):
    """How it is computed: the declared technique and logic, and the DAG file of the exact version."""

    technique: str | None = None
    logic: Code | None = None
    sql: Code | None = None
    """The SQL that the task ran, when its logic is not that SQL."""
    dag_file: Code | None = None
    location: CodeLocation | None = None


class Why(Model):
    """Why it exists."""

    purpose: str | None = None
    description: str | None = None


class Rows(Model):
    """Rows of one production."""

    read: int
    accepted: int
    rejected: int


class DagVersionRef(Model):
    """A DAG version: Airflow's number and id when they are known, and the hash of its source."""

    id: UUID | None = None
    number: int | None = None
    source_sha256: Sha256 | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None


class RunRef(Model):
    """The task run that wrote the values."""

    namespace: str
    dag_id: str
    dag_version: DagVersionRef
    run_id: str
    """Airflow's DAG run id."""
    task_id: str
    map_index: int = -1
    try_number: int
    operator: str | None = None
    run_type: str | None = None
    """Airflow's word for why the DAG ran: ``scheduled``, ``manual``, ``backfill``, ``asset_triggered``, and so on."""
    triggered_by: tuple[str, ...] = ()
    """The URIs of the assets that made the DAG run, as far as the caller may see them."""
    logical_date: Moment | None = None
    data_interval_start: Moment | None = None
    """Begin of the time that the run stands for (OpenLineage's nominal start)."""
    data_interval_end: Moment | None = None
    state: Literal["COMPLETE", "FAIL", "ABORT"] = "COMPLETE"
    """A task that failed after rows were accepted wrote values, too."""
    started_at: Moment | None = None
    ended_at: Moment
    openlineage_run_id: UUID
    rows: Rows | None = None


class PackageRef(Model):
    """The DAG package, known to this registry, whose code wrote the values: the run names its digest."""

    namespace: str
    name: str
    version: str
    digest: Sha256
    href: str
    """Where the registry describes the version."""


class Source(Model):
    """Something the feature is made from; without a name when the caller may not see it."""

    uri: str | None
    namespace: str | None
    name: str | None
    field: str | None = None
    origin: Origin
    access: Access = "accessible"


ConsumerKind = Literal[
    "task", "dag", "dataset", "feature", "feature_set", "training_set", "model", "endpoint", "monitor"
]


class Consumer(Model):
    """Something that uses the feature, or reads the feature set that it stands in; without a name when hidden."""

    kind: ConsumerKind
    namespace: str | None
    name: str | None
    distance: int = 1
    """1 for what reads the feature itself; what is made from that, by one more step each."""
    version: int | None = None
    """Of a model: the newest version that uses the feature."""
    approval: str | None = None
    """Of that version."""
    last_read: Moment | None = None
    origin: Origin
    access: Access = "accessible"


class Feature(Model):
    """One answer: who, when, how, why, which run, sources, consumers."""

    project: str
    feature_set: str
    name: str
    type: str | None = None
    collection: str | None = None
    tags: tuple[str, ...] = ()
    version: int | None = None
    """Counts the declarations of this feature that differ, from 1; None when no more than its type was declared."""
    version_sha256: Sha256 | None = None
    """Of the declaration in force, for ``If-Match``; None when none is."""
    deleted: bool = False
    who: Who
    when: When
    how: How
    why: Why
    run: RunRef | None = None
    """None when nothing was written yet."""
    package: PackageRef | None = None
    """None when the DAG came from no package that this registry knows and the caller may see."""
    sources: tuple[Source, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    fulfils: tuple[str, ...] = ()
    """The addresses of the feature requests that were closed with it."""
    origins: dict[str, Origin] = Field(default_factory=dict)
    """Which fact comes from where: ``{"who.owner": "declared", "when.schedule": "airflow"}``."""
