"""Artifacts in Azure: declared, not made."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from festaf.provider.backends.declared import DeclaredBackend, Need

if TYPE_CHECKING:
    from collections.abc import Mapping

_STORE = "a managed feature store of Azure Machine Learning"
_WORKSPACE = "a workspace of Azure Machine Learning"


class AzureBackend(DeclaredBackend):
    """Azure Machine Learning; feature sets lie in a feature store, which is a workspace of its own kind."""

    cloud: ClassVar[str] = "Azure"
    library: ClassVar[str] = "azure-ai-ml's MLClient"
    connection: ClassVar[str] = (
        "an Airflow connection of apache-airflow-providers-microsoft-azure that names subscription, resource group "
        "and workspace"
    )
    needs: ClassVar[Mapping[str, Need]] = {
        "feature_sets": Need(_STORE, "feature_sets.list()"),
        "feature_set": Need(_STORE, "feature_sets.get(name, version) and feature_sets.list_features(name, version)"),
        "models": Need(_WORKSPACE, "models.list()"),
        "model": Need(_WORKSPACE, "models.get(name, version)"),
        "endpoints": Need(_WORKSPACE, "online_endpoints.list()"),
        "endpoint": Need(_WORKSPACE, "online_endpoints.get(name) and online_deployments.list(name)"),
    }
