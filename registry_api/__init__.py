"""The lineage registry: FastAPI, SQLAlchemy and Alembic; one folder per area."""
