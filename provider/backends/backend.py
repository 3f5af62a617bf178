"""What a cloud must answer for ``Meta``, and the choice among clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.provider.artifacts.endpoint import Endpoint, EndpointSummary
    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.artifacts.model import Model
    from festaf.provider.artifacts.summary import FeatureSetSummary
    from festaf.provider.models.record import ModelSummary

BackendName = Literal["aws", "azure", "gcp"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)


class Backend(Protocol):
    """Lists and describes the artifacts of one cloud."""

    def feature_sets(self, name_contains: str | None) -> Sequence[FeatureSetSummary]:
        """List the feature sets with their states."""

    def feature_set(self, name: str) -> FeatureSet | None:
        """Describe one feature set; None when there is none of this name."""

    def models(self, name_contains: str | None) -> Sequence[ModelSummary]:
        """List the models with their newest versions."""

    def model(self, name: str, version: int | str | None) -> Model | None:
        """Describe one model; None when there is none of this name, or not that version."""

    def endpoints(self, name_contains: str | None) -> Sequence[EndpointSummary]:
        """List the endpoints with their states."""

    def endpoint(self, name: str) -> Endpoint | None:
        """Describe one endpoint; None when there is none of this name."""


def open_backend(name: str, conn_id: str | None, region_name: str | None) -> Backend:
    """Make the backend of a cloud.

    :param conn_id: the Airflow connection to it
    :raises InputError: there is no backend of this name
    """
    if name == "aws":
        from festaf.provider.backends.aws import AwsBackend

        return AwsBackend(conn_id, region_name)
    if name == "azure":
        from festaf.provider.backends.azure import AzureBackend

        return AzureBackend()
    if name == "gcp":
        from festaf.provider.backends.gcp import GcpBackend

        return GcpBackend()
    raise InputError(f"backend is {name!r}: write one of {', '.join(BACKENDS)}")
