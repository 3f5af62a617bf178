"""What a task says of a version of a model: what it is made of, how good it is, and whether it may serve.

It travels in the ``extra`` of an Airflow asset event under the key ``festaf``, and as a facet of an OpenLineage event;
as a JSON object beside the model's metrics it keeps what does not fit into the metadata of a model package.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from festaf.contract.model import Model, Sha256
from festaf.contract.names import DEFAULT_PROJECT

MODEL_VERSION_FACET = "festaf_model_version"
"""The dataset facet that carries a ModelVersionFact under the key ``model_version``."""

Event = Literal["registered", "onboarded", "approved", "rejected", "deleted"]
Approval = Literal["Approved", "Rejected", "PendingManualApproval"]


class HeldOut(Model):
    """The data that a model was measured on, which it had not seen in training."""

    uri: str | None = None
    """Of the rows, or of a training set's manifest."""
    sha256: Sha256 | None = None
    """Hash of the content; where two models have one, it decides whether their data are the same."""
    rows: NonNegativeInt | None = None


class ModelVersionFact(Model):
    """A version of a model as a task registered, approved, rejected or deleted it."""

    kind: Literal["model_version"] = "model_version"
    event: Event = "registered"
    """What the task did."""
    project: str = DEFAULT_PROJECT
    model: str
    """Name of the model package group, or of the SageMaker model when there is no version."""
    version: PositiveInt | None = None
    arn: str | None = None
    status: str | None = None
    """AWS's ModelPackageStatus."""
    approval: Approval | None = None
    approval_description: str | None = None
    description: str | None = None
    images: tuple[str, ...] = ()
    model_data: tuple[str, ...] = ()
    """URIs of what the containers load."""
    metrics: dict[str, float] = Field(default_factory=dict)
    held_out: HeldOut | None = None
    features: tuple[str, ...] = ()
    """``feature_set.feature``, or a bare name where the feature set is not known."""
    feature_sets: tuple[str, ...] = ()
    """URIs of the feature sets that the features are of, as assets."""
    training_set: str | None = None
    """URI of the training set's manifest."""
    training_set_name: str | None = None
    """Name of the training set in its project, if it was built by a task of ours."""
    training_job: str | None = None
    """ARN or name."""
    experiment: str | None = None
    """SageMaker's experiment that the training job is part of."""
    supersedes: PositiveInt | None = None
    """The version that this one took the place of."""
    dag_id: str | None = None
    """Of the task that registered it, as the fields that follow."""
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    logic_sha256: Sha256 | None = None
    """Hash of the DAG file's text as the worker ran it."""
    bundle_name: str | None = None
    bundle_version: str | None = None
    region: str | None = None
    account: str | None = None
