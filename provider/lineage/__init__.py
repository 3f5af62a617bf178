"""Capture of lineage inside Airflow: what a task read and wrote becomes an OpenLineage event for the registry."""
