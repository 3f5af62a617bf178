"""The schema's version: ask for it, and bring a database to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from festaf.registry_api.database import Database
from festaf.registry_api.errors import SetupError

MIGRATIONS = Path(__file__).parent / "migrations"
REBUILT_SINCE = "0011"
"""The last version that brought a table which only a rebuild fills from older events."""
Progress = Callable[[str, str], None]
"""Is told of each step: the version that it leads to, and what it does."""


def head() -> str:
    """Give the schema version that this code stands on."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current(database: Database) -> str | None:
    """Give the schema version of a database; None when it holds no schema."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(database: Database) -> bool:
    """Tell whether a database has the schema that this code stands on."""
    return current(database) == head()


def migrate(database: Database, progress: Progress | None = None) -> None:
    """Bring a database to this code's schema, and its features into the search; several may do it at once.

    All steps are one transaction: if it is broken off, nothing has happened.

    :raises SetupError: the database is newer than this code
    """
    from festaf.registry_api.search.catching_up import index_missing

    refuse_newer(current(database))
    upgrade(database, "head", progress)
    index_missing(database)


def upgrade(database: Database, revision: str, progress: Progress | None = None) -> None:
    """Bring a database's schema to a version, and tell of each step."""
    config = _config()
    if progress is not None:
        config.attributes["on_version_apply"] = lambda step, **_: progress(step.up_revision_id, step.up_revision.doc)
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def needs_rebuild(database: Database, before: str | None) -> bool:
    """Tell whether this version keeps more of each event than the one that a database was migrated from."""
    if before is None or before >= REBUILT_SINCE:
        return False
    with database.engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM event LIMIT 1")).first() is not None


def refuse_newer(found: str | None) -> None:
    """Make sure that this code knows a schema.

    :raises SetupError: it is of a newer registry
    """
    if found is not None and found not in _known():
        raise SetupError(f"the database's schema {found} is newer than this registry; install the newer festaf")


def require_current(database: Database) -> None:
    """Make sure that the schema fits: an SQLite file is migrated here, a PostgreSQL only by its own command.

    :raises SetupError: the database needs ``festaf registry migrate``, or is newer than this code
    """
    found = current(database)
    if found == head():
        return
    refuse_newer(found)
    if not database.sqlite:
        state = "has no schema yet" if found is None else f"has the old schema {found}"
        raise SetupError(f"the database {state}; run festaf registry migrate")
    migrate(database)


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
