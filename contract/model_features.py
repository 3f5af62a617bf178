"""What a model or an endpoint reads, and which runs made the values that it saw at a time."""

from __future__ import annotations

from festaf.contract.feature import Access, RunRef
from festaf.contract.model import Model, Moment, Sha256


class FeatureSeen(Model):
    """A feature that a model uses, with the production in force at that time."""

    project: str | None
    """None when the model did not say of which project or feature set the feature is."""
    feature_set: str | None
    name: str | None
    version: int | None = None
    version_sha256: Sha256 | None = None
    last_written: Moment | None = None
    run: RunRef | None = None
    """The run that made the values; None when none was written by then, or the feature is not known."""
    access: Access = "accessible"


class ModelFeatures(Model):
    """A version of a model with the features that it uses."""

    project: str
    model: str
    version: int | None = None
    approval: str | None = None
    registered_at: Moment | None = None
    training_set: str | None = None
    training_build: str | None = None
    training_snapshot: Moment | None = None
    """What the model was trained on stood in the offline store at this time."""
    at: Moment
    """The time that the productions are for."""
    features: tuple[FeatureSeen, ...] = ()


class EndpointFeatures(Model):
    """What an endpoint served at a time: each model behind it with the features that it uses."""

    project: str
    endpoint: str
    deployed_at: Moment
    at: Moment
    models: tuple[ModelFeatures, ...] = ()
