"""SQLite files with the schema: migrated once for each process, and copied from then on."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config

from festaf.registry_api.database import Database
from festaf.registry_api.schema import MIGRATIONS, migrate


def upgrade_to(database: Database, revision: str) -> None:
    """Make the tables as an earlier release had them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def with_schema(database: Database) -> Database:
    """Give a new SQLite file the schema; any other database is left as it is."""
    path = Path(str(database.url.database))
    if database.sqlite and not path.exists():
        path.write_bytes(_migrated())
    return database


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="festaf-schema-") as folder:
        path = Path(folder) / "registry.db"
        database = Database(f"sqlite:///{path}")
        migrate(database)
        database.close()
        return path.read_bytes()
