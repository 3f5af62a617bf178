"""DAG packages on the side of an Airflow: made of DAGs that are here, and brought in from a registry."""
