"""What the previous release had read of an Airflow is read on from where it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from festaf.registry_api.airflow.repository import ReadingRepository
from festaf.registry_api.schema import migrate, upgrade
from tests.registry_api.events import at

if TYPE_CHECKING:
    from festaf.registry_api.database import Database


@pytest.fixture
def older(empty_database: Database) -> Database:
    """Give a database as the previous release left it, with a DAG that was read."""
    upgrade(empty_database, "0017")
    with empty_database.migrating() as connection:
        connection.execute(
            text(
                "INSERT INTO airflow (id, name, base_url, namespace, enabled, poll_seconds, created_at, updated_at,"
                " stumbles, failures, behind, counts)"
                " VALUES (1, 'prod', 'http://a', 'a', :yes, 30, :at, :at, 0, 0, :no, '{}')"
            ),
            {"yes": True, "no": False, "at": at(1)},
        )
        connection.execute(
            text(
                "INSERT INTO airflow_dag (airflow_pk, dag_id, said, version_number, source_read_at, uses_assets,"
                " inlets) VALUES (1, 'flights', 'sha', 3, :at, :yes, '{}')"
            ),
            {"yes": True, "at": at(1)},
        )
    return empty_database


def test_what_was_read_stands_and_nothing_is_proven(older: Database) -> None:
    migrate(older)

    with older.reading() as session:
        dag = ReadingRepository(session, 1).dag("flights")
    assert dag is not None
    assert (dag.said, dag.version_number, dag.source_read_at) == ("sha", 3, at(1))
    assert (dag.bundle_version, dag.bundle_since, dag.proven_version, dag.waits_for) == (None, None, None, None)
