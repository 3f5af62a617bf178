"""Operators that watch features and endpoints."""

from festaf.operators.monitor.features import MonitorFeaturesOperator

__all__ = ["MonitorFeaturesOperator"]
