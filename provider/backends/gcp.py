"""Artifacts in Google Cloud: declared, not made."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from festaf.provider.backends.declared import DeclaredBackend, Need

if TYPE_CHECKING:
    from collections.abc import Mapping

_STORE = "Vertex AI Feature Store, whose feature groups are tables of BigQuery"


class GcpBackend(DeclaredBackend):
    """Vertex AI."""

    cloud: ClassVar[str] = "GCP"
    library: ClassVar[str] = "google-cloud-aiplatform's aiplatform_v1"
    connection: ClassVar[str] = (
        "an Airflow connection of apache-airflow-providers-google that names project, location and credentials"
    )
    needs: ClassVar[Mapping[str, Need]] = {
        "feature_sets": Need(_STORE, "FeatureRegistryServiceClient.list_feature_groups()"),
        "feature_set": Need(_STORE, "FeatureRegistryServiceClient.get_feature_group() and list_features()"),
        "models": Need("Vertex AI Model Registry", "ModelServiceClient.list_models()"),
        "model": Need("Vertex AI Model Registry", "ModelServiceClient.get_model() and list_model_versions()"),
        "endpoints": Need("Vertex AI endpoints", "EndpointServiceClient.list_endpoints()"),
        "endpoint": Need("Vertex AI endpoints", "EndpointServiceClient.get_endpoint()"),
    }
