"""Airflow's reader of DAG files, from where it stands in the version at hand."""

from typing import Any

DagBag: Any
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow 3.1 keeps it with its models.
    from airflow.models.dagbag import DagBag

__all__ = ["DagBag"]
