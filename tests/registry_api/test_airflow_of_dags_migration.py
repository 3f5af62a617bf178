"""Lists name the Airflow of the DAG that wrote a feature last, though the previous release had not kept it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from tests.registry_api.databases import upgrade_to
from tests.registry_api.events import NAMESPACE, at, declaration, defined, feature_set, task_event, written
from tests.registry_api.test_feature_list import of_another_airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = "airflow-lab"
REPEATED = text("SELECT name, dag_namespace FROM feature ORDER BY name")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(sqlite_url: str, empty_postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    found = Database(sqlite_url if request.param == "sqlite" else empty_postgres_url)
    migrate(found)
    yield found
    found.close()


def test_lists_name_the_airflow_that_wrote_last(database: Database) -> None:
    for event in (
        task_event(outputs=(written(declaration("a"), declaration("b")),)),
        of_another_airflow(task_event(day=1, outputs=(written(declaration("b")),))),
        task_event(task="create", outputs=(defined(declaration("c"), name="whole"),)),
        task_event(task="create", minutes=11, outputs=(defined(declaration("d"), name="unwritten"),)),
        task_event(day=1, outputs=(feature_set("whole"),)),
        of_another_airflow(task_event(day=2, outputs=(feature_set("whole"),))),
    ):
        with database.writing() as session:
            LineageService(session, at(9_999)).take(event)
    right = _repeated(database)
    assert right == [("a", NAMESPACE), ("b", LAB), ("c", LAB), ("d", None)]
    with database.writing() as session:
        session.execute(text("ALTER TABLE feature DROP COLUMN dag_namespace"))
        session.execute(text("UPDATE alembic_version SET version_num = '0022'"))

    upgrade_to(database, "0023")

    assert _repeated(database) == right


def _repeated(database: Database) -> list[tuple[str, str | None]]:
    with database.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(REPEATED)]
