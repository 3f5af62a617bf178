"""Typed artifacts: feature sets as they are declared and as they stand."""

from festaf.provider.artifacts.feature import Feature

__all__ = ["Feature"]
