"""The demo: local AWS, registry and Airflow as processes on one machine, and two DAGs run to their end."""
