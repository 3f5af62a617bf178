"""DAGs, their versions and code, and runs."""
