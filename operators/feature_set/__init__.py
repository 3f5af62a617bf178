"""Operators that create, change, fill and retire feature sets."""

from festaf.operators.feature_set.creation import CreateFeatureSetOperator
from festaf.operators.feature_set.deletion import DeleteFeatureSetOperator
from festaf.operators.feature_set.ingestion import IngestFeaturesOperator
from festaf.operators.feature_set.update import UpdateFeatureSetOperator

__all__ = [
    "CreateFeatureSetOperator",
    "DeleteFeatureSetOperator",
    "IngestFeaturesOperator",
    "UpdateFeatureSetOperator",
]
