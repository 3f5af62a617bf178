"""Operators that watch features and endpoints."""

from festaf.operators.monitor.endpoint import MonitorEndpointOperator
from festaf.operators.monitor.features import MonitorFeaturesOperator

__all__ = ["MonitorEndpointOperator", "MonitorFeaturesOperator"]
