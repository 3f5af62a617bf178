"""The record of experiments: what each training run was given, what came of it, and that nobody changed it since.

A run's record travels as a facet of the OpenLineage event of the task that trained, or is posted by whoever trained.
The registry appends it to the experiment's chain: each entry carries the hash of its content and of the entry before.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, NonNegativeInt, PositiveInt, StringConstraints

from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.names import DEFAULT_PROJECT

EXPERIMENT_FACET = "festaf_experiment"
"""The run facet that carries a TrainingRecord under the key ``experiment``."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^/\x00-\x1f]+$")]
RunState = Literal["Completed", "Failed", "Stopped"]


class TrainingData(Model):
    """Data that a run read, with what tells whether another run read the same."""

    name: str
    """The channel, such as ``train``."""
    uri: str
    manifest: str | None = None
    """URI of the training set's manifest."""
    sha256: Sha256 | None = None
    """Hash of the manifest or of the data."""
    rows: Annotated[int, Field(strict=True, ge=0)] | None = None


class TrainingCode(Model):
    """The code that trained."""

    image: str | None = None
    uri: str | None = None
    """Where the script lies."""
    entry_point: str | None = None
    sha256: Sha256 | None = None
    repository: str | None = None
    commit: str | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None


class TrainedModel(Model):
    """What came of the run."""

    name: str | None = None
    version: Annotated[int, Field(strict=True, gt=0)] | None = None
    arn: str | None = None
    data: tuple[str, ...] = ()
    """URIs of the model data."""


class TrainingRecord(Model):
    """One run as it is told at once; told again with more, it is another entry of the same run."""

    project: str = DEFAULT_PROJECT
    experiment: Name
    run: Name
    """Name of the run in its experiment: the training job's, or the OpenLineage run id."""
    state: RunState | None = None
    reason: str | None = None
    """Why it failed."""
    started_at: Moment | None = None
    ended_at: Moment | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, Annotated[float, Field(allow_inf_nan=False, strict=True)]] = Field(default_factory=dict)
    data: tuple[TrainingData, ...] = ()
    code: TrainingCode | None = None
    model: TrainedModel | None = None
    training_job: str | None = None
    """ARN."""
    tags: dict[str, str] = Field(default_factory=dict)
    namespace: str | None = None
    """OpenLineage namespace of the Airflow, as the fields that follow of the task."""
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: Annotated[int, Field(strict=True)] | None = None
    try_number: Annotated[int, Field(strict=True, gt=0)] | None = None
    openlineage_run_id: UUID | None = None


class ExperimentEntry(Model):
    """A record in the chain; ``sha256`` hashes it with the hash of the entry before."""

    number: PositiveInt
    record: TrainingRecord
    recorded_at: Moment
    recorded_by: str
    content_sha256: Sha256
    previous_sha256: Sha256 | None = None
    """None for the first entry of the experiment."""
    sha256: Sha256


class ExperimentRun(Model):
    """A run with everything that its entries said; where two say the same thing, the later entry."""

    record: TrainingRecord
    entries: tuple[PositiveInt, ...]
    """Numbers in the chain."""
    first_recorded: Moment
    last_recorded: Moment
    whole: bool | None = None
    """Whether its entries are as they were written, and none beside them is gone; None from a registry that is older.

    The rest of the chain is read only to verify it.
    """


class ExperimentSummary(Model):
    """An experiment in a list."""

    project: str
    experiment: str
    entries: NonNegativeInt
    runs: NonNegativeInt
    last_recorded: Moment
    head_sha256: Sha256
    """Hash of the last entry. Keep it elsewhere: a chain that was written anew from the start has another."""


class Compared(Model):
    """One parameter, metric or other fact of several runs, in the order in which the runs were asked for."""

    name: str
    values: tuple[str | float | None, ...]
    differs: bool


class Comparison(Model):
    """Several runs beside each other."""

    project: str
    experiment: str
    runs: tuple[str, ...]
    parameters: tuple[Compared, ...]
    metrics: tuple[Compared, ...]
    facts: tuple[Compared, ...]
    """State, data, code and model."""


class Verification(Model):
    """Whether a chain is as it was written."""

    project: str
    experiment: str
    entries: NonNegativeInt
    whole: bool
    head_sha256: Sha256 | None = None
    broken_at: PositiveInt | None = None
    """Number of the first entry that is wrong."""
    reason: str | None = None
