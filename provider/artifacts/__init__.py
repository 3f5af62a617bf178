"""Typed artifacts: feature sets as they are declared and as they stand, models and endpoints."""

from festaf.provider.artifacts.endpoint import Endpoint, EndpointSummary
from festaf.provider.artifacts.feature import Feature
from festaf.provider.artifacts.feature_set import FeatureSet, GlueTable, OfflineStore, OnlineStore
from festaf.provider.artifacts.meta import FeatureSetSummary, Meta
from festaf.provider.artifacts.model import Model

__all__ = [
    "Endpoint",
    "EndpointSummary",
    "Feature",
    "FeatureSet",
    "FeatureSetSummary",
    "GlueTable",
    "Meta",
    "Model",
    "OfflineStore",
    "OnlineStore",
]
