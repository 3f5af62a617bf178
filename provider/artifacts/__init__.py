"""Typed artifacts: feature sets as they are declared and as they stand, and models."""

from festaf.provider.artifacts.feature import Feature
from festaf.provider.artifacts.feature_set import FeatureSet, GlueTable, OfflineStore, OnlineStore
from festaf.provider.artifacts.meta import FeatureSetSummary, Meta
from festaf.provider.artifacts.model import Model

__all__ = ["Feature", "FeatureSet", "FeatureSetSummary", "GlueTable", "Meta", "Model", "OfflineStore", "OnlineStore"]
