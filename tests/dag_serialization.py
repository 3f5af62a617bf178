"""Airflow's serialisation of DAGs, under the name that it has in the version at hand."""

from typing import Any

from airflow.serialization import serialized_objects

# Airflow 3.1 has both under one name.
DagSerialization: Any = getattr(serialized_objects, "DagSerialization", None) or serialized_objects.SerializedDAG
