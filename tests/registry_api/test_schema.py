"""The migrations make exactly the tables that the code stands on, and the queries that matter use their indexes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.event import listen

from festaf.registry_api.database import Database, read_url
from festaf.registry_api.errors import SetupError
from festaf.registry_api.features.newest_repository import newest_query
from festaf.registry_api.features.written_repository import listings_query
from festaf.registry_api.main import create_app
from festaf.registry_api.schema import current, head, migrate, require_current
from festaf.registry_api.settings import Settings
from festaf.registry_api.table import Table
from festaf.registry_api.viewpoint import NOW, Viewpoint
from tests.registry_api.events import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.sql.schema import SchemaItem


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_migrations_make_the_tables_of_the_code(database: Database) -> None:
    migrate(database)
    create_app(Settings(str(database.url)), database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_of(connection.dialect.name)})
        differences = compare_metadata(context, Table.metadata)

    assert differences == []
    assert current(database) == head()


def test_pages_of_rows_that_change_have_room_on_postgresql(empty_postgres_url: str) -> None:
    database = Database(empty_postgres_url)
    migrate(database)
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL")
        options = {name: list(said) for name, said in found if name in Table.metadata.tables}
    database.close()

    wanted = {name: table.dialect_options["postgresql"]["with"] for name, table in Table.metadata.tables.items()}
    assert options == {name: [f"{key}={value}" for key, value in said.items()] for name, said in wanted.items() if said}
    assert "feature" in options


def _is_of(dialect: str) -> Callable[..., bool]:
    """Leave out what only the other database has, and the tables that SQLite's full text keeps for itself."""

    def include(item: SchemaItem, name: str, kind: str, *_: object) -> bool:
        if kind == "table" and name.startswith("search_text"):
            return False
        return item.info.get("only", dialect) == dialect

    return include


def test_several_may_migrate_at_once(sqlite_url: str) -> None:
    databases = [Database(sqlite_url, busy_timeout=30) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, databases))

    assert current(databases[0]) == head()
    for database in databases:
        database.close()


def test_on_postgresql_a_migration_waits_for_another_and_may_take_long(empty_postgres_url: str) -> None:
    first, second = (Database(empty_postgres_url, busy_timeout=0.2) for _ in range(2))
    migrate(first)
    bounds = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
    with ThreadPoolExecutor(1) as pool:
        with first.migrating() as connection:
            assert tuple(connection.execute(bounds).one()) == ("0", "200ms")
            waiting = pool.submit(migrate, second)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)
        waiting.result(timeout=30)

    for database in (first, second):
        database.close()


def test_a_database_of_a_newer_registry_is_left_alone(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SetupError, match="newer than this registry"):
        require_current(database)
    database.close()


def test_only_sqlite_and_postgresql_are_known() -> None:
    for wrong in ("mysql://x/y", "nonsense", "", "sqlite://", "sqlite:///:memory:", "postgresql://h:port/x"):
        with pytest.raises(SetupError):
            read_url(wrong)


def test_the_newest_facts_are_found_by_index_alone(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    sent: list[tuple[str, Any]] = []
    listen(database.engine, "before_cursor_execute", lambda *said: sent.append((said[2], said[3])))
    with database.engine.connect() as connection:
        for view in (NOW, Viewpoint(DAY), Viewpoint(known_at=DAY), Viewpoint(DAY, DAY)):
            asked: dict[str, Any] = {"features": [1, 2], **view.asked}
            connection.execute(newest_query(view.dated, view.known), asked)
            connection.execute(listings_query(view.dated, view.known), asked)
        plans = [
            row[3]
            for sql, given in list(sent)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
        ]
    database.close()

    assert [plan for plan in plans if plan.startswith("SCAN") and not plan.startswith("SCAN anon")] == []
    assert any("ix_feature_set_write_feature_list_id" in plan for plan in plans)
    assert any("ix_declaration_declared" in plan for plan in plans)
