"""SQLite files with the schema: migrated once for each process, and copied from then on."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from festaf.registry_api.database import Database
from festaf.registry_api.schema import migrate


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
