"""Lists name the Airflow of the DAG that wrote a feature last, though the previous release had not kept it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import upgrade
from tests.registry_api.events import NAMESPACE, at, declaration, defined, feature_set, task_event, written
from tests.registry_api.test_feature_list import of_another_airflow

if TYPE_CHECKING:
    from festaf.registry_api.database import Database

LAB = "airflow-lab"
REPEATED = text("SELECT name, dag_namespace FROM feature ORDER BY name")
SOUGHT = ("ix_feature_set_write_feature_list_id", "ix_feature_set_write_whole")
"""By which index each statement finds what wrote a feature."""
COUNTED = text("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'")


def test_lists_name_the_airflow_that_wrote_last(database: Database) -> None:
    _tell(database)
    right = _repeated(database)
    assert right == [("a", NAMESPACE), ("b", LAB), ("c", LAB), ("d", None)]
    _go_back(database)

    upgrade(database, "0023")

    assert _repeated(database) == right


def test_what_wrote_a_feature_is_sought_by_index(database: Database) -> None:
    _tell(database)
    _go_back(database)
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.strip().startswith("UPDATE feature "):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    upgrade(database, "0023")

    with database.engine.connect() as connection:
        if not database.sqlite:  # It would read such small tables from the first row to the last.
            connection.execute(text("SET enable_seqscan = off"))
        how = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
        plans = [str(connection.exec_driver_sql(f"{how} {statement}").all()) for statement in sent]
    assert [index in plan for index, plan in zip(SOUGHT, plans, strict=True)] == [True, True], plans


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_counts_what_it_seeks_in_first(database: Database) -> None:
    _tell(database)
    _go_back(database)

    upgrade(database, "0023")

    with database.engine.connect() as connection:
        counted = set(connection.execute(COUNTED).scalars())
    assert {"feature_version", "listed_version", "feature_set_write", "run", "dag"} <= counted


def _tell(database: Database) -> None:
    for told in (
        task_event(outputs=(written(declaration("a"), declaration("b")),)),
        of_another_airflow(task_event(day=1, outputs=(written(declaration("b")),))),
        task_event(task="create", outputs=(defined(declaration("c"), name="whole"),)),
        task_event(task="create", minutes=11, outputs=(defined(declaration("d"), name="unwritten"),)),
        task_event(day=1, outputs=(feature_set("whole"),)),
        of_another_airflow(task_event(day=2, outputs=(feature_set("whole"),))),
    ):
        with database.writing() as session:
            LineageService(session, at(9_999)).take(told)


def _go_back(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("ALTER TABLE feature DROP COLUMN dag_namespace"))
        session.execute(text("UPDATE alembic_version SET version_num = '0022'"))


def _repeated(database: Database) -> list[tuple[str, str | None]]:
    with database.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(REPEATED)]
