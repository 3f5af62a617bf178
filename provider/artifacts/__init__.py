"""Typed artifacts: feature sets as they are declared and as they stand."""

from festaf.provider.artifacts.feature import Feature
from festaf.provider.artifacts.feature_set import FeatureSet, GlueTable, OfflineStore, OnlineStore
from festaf.provider.artifacts.meta import FeatureSetSummary, Meta

__all__ = ["Feature", "FeatureSet", "FeatureSetSummary", "GlueTable", "Meta", "OfflineStore", "OnlineStore"]
