"""A look over all artifacts of an account and region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from festaf.provider.artifacts.summary import FeatureSetSummary
from festaf.provider.backends.backend import open_backend

if TYPE_CHECKING:
    from festaf.provider.artifacts.endpoint import Endpoint, EndpointSummary
    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.artifacts.model import Model
    from festaf.provider.backends.backend import Backend, BackendName
    from festaf.provider.models.record import ModelSummary

__all__ = ["FeatureSetSummary", "Meta"]


@dataclass(frozen=True)
class Meta:
    """List and describe the artifacts that a connection reaches.

    :param aws_conn_id: the Airflow connection to AWS
    :param region_name: AWS region; None takes the connection's
    :param backend: the cloud; of azure and gcp every question raises an error that says what it would take
    """

    aws_conn_id: str | None = "aws_default"
    region_name: str | None = None
    backend: BackendName = "aws"

    @cached_property
    def _cloud(self) -> Backend:
        return open_backend(self.backend, self.aws_conn_id, self.region_name)

    def feature_sets(self, name_contains: str | None = None) -> list[FeatureSetSummary]:
        """List the feature sets with their states."""
        return list(self._cloud.feature_sets(name_contains))

    def feature_set(self, name: str) -> FeatureSet | None:
        """Describe one feature set in full; None when there is none of this name."""
        return self._cloud.feature_set(name)

    def models(self, name_contains: str | None = None) -> list[ModelSummary]:
        """List the model package groups, each with its newest version, then the SageMaker models."""
        return list(self._cloud.models(name_contains))

    def model(self, name: str, version: int | str | None = None) -> Model | None:
        """Describe one model in full; None when there is none of this name, or not that version."""
        return self._cloud.model(name, version)

    def endpoints(self, name_contains: str | None = None) -> list[EndpointSummary]:
        """List the endpoints with their states."""
        return list(self._cloud.endpoints(name_contains))

    def endpoint(self, name: str) -> Endpoint | None:
        """Describe one endpoint in full; None when there is none of this name."""
        return self._cloud.endpoint(name)
