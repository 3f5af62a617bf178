"""festaf: SageMaker feature sets, models and endpoints for Apache Airflow, and a registry of their lineage."""

__version__ = "0.1.0"
