"""Edges that the previous release kept under one origin are told apart when the schema is brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from festaf.registry_api.database import Database
from festaf.registry_api.graph.names import NodeName, dataset_node, job_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.schema import migrate
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.databases import upgrade_to
from tests.registry_api.events import at

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = job_node("airflow", "dag.task")
NODES = (JOB, *(dataset_node("s3://x", name, column) for name, column in (("a", None), ("b", None), ("a", "k"))))
OUT, COLUMN = dataset_node("s3://x", "out"), dataset_node("s3://x", "out", "c")


@pytest.fixture
def older(sqlite_url: str, empty_postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a database as the previous release left it: a run that read a and b, and one that read a only."""
    database = Database(sqlite_url if request.param == "sqlite" else empty_postgres_url)
    upgrade_to(database, "0002")
    with database.migrating() as connection:  # A transaction of that release left no row of what it changed.
        ids: dict[NodeName, int] = {}
        for number, node in enumerate((*NODES, OUT, COLUMN), 1):
            ids[node] = number
            row: dict[str, Any] = {"id": number, "key": node.key, "at": at(1)}
            row |= {"kind": node.kind, "namespace": node.namespace, "name": node.name, "field": node.field}
            connection.execute(text("INSERT INTO node VALUES (:id, :key, :kind, :namespace, :name, :field, :at)"), row)
        job, a, b, column = (ids[node] for node in NODES)
        sets = {1: [(a, job), (b, job), (job, ids[OUT]), (column, ids[COLUMN])], 2: [(a, job), (job, ids[OUT])]}
        for number, edges in sets.items():
            named = {"id": 1000 + number, "job": job, "at": at(number), "sha": str(number)}
            connection.execute(
                text("INSERT INTO edge_set VALUES (:id, :job, 'lineage', :sha, :at, :at, 'r', NULL, :now)"),
                named | {"now": number == 2},
            )
            for source, target in edges:
                connection.execute(
                    text("INSERT INTO edge VALUES (:id, :source, :target, NULL)"),
                    {"id": 1000 + number, "source": source, "target": target},
                )
            connection.execute(
                text(
                    "INSERT INTO sighting (asserter_id, origin, edge_set_id, stated_at, closing, last_run, recorded_at)"
                    " VALUES (:job, 'lineage', :id, :at, :yes, 'r', :at)"
                ),
                named | {"yes": True},
            )
    yield database
    database.close()


@pytest.mark.parametrize("older", ["sqlite", "postgresql"], indirect=True)
def test_edges_of_the_previous_release_keep_their_validity(older: Database) -> None:
    migrate(older)

    with older.reading() as session:
        graph = GraphService(session)
        found = graph.neighbours([JOB, OUT, COLUMN], "source")
        then = graph.neighbours([JOB], "source", Viewpoint(at(1.5)))[JOB]
    assert [(item.node.name, item.origin, item.since) for item in found[JOB]] == [("a", "inputs_outputs", at(1))]
    assert [(item.node, item.origin) for item in found[OUT]] == [(JOB, "inputs_outputs")]
    # No run said anything else of the column since.
    assert [(item.node.field, item.origin) for item in found[COLUMN]] == [("k", "column_lineage")]
    assert {item.node.name for item in then} == {"a", "b"}
