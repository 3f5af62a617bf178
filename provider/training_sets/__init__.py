"""Training sets: features of several feature sets joined to rows of entities as they stood at each row's time."""

from festaf.provider.training_sets.view import FeatureView

__all__ = ["FeatureView"]
