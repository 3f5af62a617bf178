"""The sync: reads Airflow deployments over their REST API, and fills what push missed."""
