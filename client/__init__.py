"""The registry's Python client, for anyone, without Airflow; and delivery of events through a durable spool."""
