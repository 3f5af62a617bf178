"""Alembic migrations, packaged with the registry and run by its own commands."""
