"""How SQLite reads for an answer when its tables are large: by index, and no table as a whole.

Its planner decides by what ANALYZE found, so a small registry is told that its tables are large.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks.story import Story
from sqlalchemy import event

from tests.registry_api.conftest import Registry, open_registry
from tests.registry_api.events import (
    NAMESPACE,
    RICH,
    dag_event,
    dataset,
    declaration,
    facet,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WHOLE = re.compile(r"^(?:BLOOM FILTER ON (\w+)|SCAN (\w+)(?! (?:VIRTUAL|USING))|SEARCH (\w+) USING AUTOMATIC)")
"""What a plan says of a table that is read from its first row to its last."""
NEWEST = re.compile(r"FROM (\w+) ORDER BY \1\.id DESC\s+LIMIT")
"""What reads the last row of a table, and no more, though the plan calls that a scan."""
SHALLOW, DEEP = {"depth": 1}, {"depth": 20}
VIEWS: tuple[dict[str, str], ...] = ({}, {"asOf": "2027-01-01T00:00:00Z"}, {"knownAt": "2027-01-01T00:00:00Z"})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, Story]]:
    """Give a registry in which features are made of others, some as events say and some as their authors declare."""
    with open_registry(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'registry.db'}") as registry:
        story = Story(sets=40, features=2)
        events = [
            *story.events(2),
            task_event(inputs=(dataset("flights.parquet"),), outputs=(written(RICH, declaration("arr_delay")),)),
            dag_event(),
            task_event(dag_id="reader", minutes=30, inputs=(feature_set(),), outputs=(dataset("out"),)),
        ]
        answer = registry.http.post("/api/v1/lineage/batch", json=events)
        assert answer.status_code == 204, answer.text
        yield registry, story


@pytest.mark.parametrize("rows", [None, 3_000, 100_000, 10_000_000])
def test_no_answer_reads_a_whole_table(told: tuple[Registry, Story], rows: int | None) -> None:
    registry, story = told
    tables = _pretend(registry, rows)
    with _noted(registry) as sent:
        for path in (f"/features/{'/'.join(story.names(20))}/f_20_0", "/features/nyc/delays/dep_delay"):
            _ask_of_a_feature(registry, path)
        _ask_of_many(registry)

    assert len(sent) > 100
    _assert_none_reads_a_whole_table(registry, tables, sent)


@pytest.mark.parametrize("rows", [None, 3_000, 100_000, 10_000_000])
def test_no_event_is_taken_by_reading_a_whole_table(told: tuple[Registry, Story], rows: int | None) -> None:
    registry, _ = told
    tables = _pretend(registry, rows)
    mark = f"new_{rows}"
    lineage = facet(fields={"a": {"inputFields": [{"namespace": "s3://raw", "name": mark, "field": "b"}]}})
    with _noted(registry) as sent:
        for told_now in (
            task_event("START", 1, dag_id=mark, inputs=(dataset(mark),)),
            task_event(dag_id=mark, inputs=(dataset(mark),), outputs=(written(declaration(mark), name=mark),)),
            task_event("FAIL", 20, dag_id=mark),
            task_event(day=1, dag_id=mark, inputs=(dataset(f"{mark}_b"),), outputs=(written(RICH, name=mark),)),
            task_event(dag_id=mark, task="late", map_index=1, outputs=(dataset(mark, columnLineage=lineage),)),
            dag_event(dag_id=mark),
        ):
            registry.post(told_now)

    assert len(sent) > 50
    _assert_none_reads_a_whole_table(registry, tables, sent)


@contextmanager
def _noted(registry: Registry) -> Iterator[dict[str, Any]]:
    """Give the statements that are sent, each with the parameters that it was sent with last."""
    sent: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")) and not NEWEST.search(statement):
            sent[statement] = parameters[0] if isinstance(parameters, list) else parameters

    event.listen(registry.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(registry.database.engine, "before_cursor_execute", note)


def _assert_none_reads_a_whole_table(registry: Registry, tables: set[str], statements: Mapping[str, Any]) -> None:
    with registry.database.engine.connect() as connection:
        for statement, parameters in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(row[3]) for row in plan]
            whole = {name for step in steps if (found := WHOLE.search(step)) for name in found.groups() if name}
            assert not tables & {re.sub(r"_\d+$", "", name) for name in whole}, f"{steps}\n{statement}"


def _ask_of_a_feature(registry: Registry, path: str) -> None:
    for view in VIEWS:
        registry.get(path, **view)
        registry.get(f"{path}/history", **view)
        for depth in (SHALLOW, DEEP):
            registry.get(f"{path}/impact", **depth, **view)
            for direction in ("upstream", "downstream", "both"):
                registry.get(f"{path}/lineage", direction=direction, **depth, **view)


def _ask_of_many(registry: Registry) -> None:
    registry.get("/features", limit=20)
    registry.get("/features", limit=20, owner="ann")
    registry.get("/features", limit=20, project="nyc")
    registry.get("/search/features", q="dep_delay")
    registry.get("/search/features", q="mean delay", tag="delay")
    registry.get("/dags", limit=20)
    registry.get("/dags/flights_features/versions")
    registry.get("/namespaces")
    registry.get(f"/namespaces/{NAMESPACE}/jobs")
    registry.get("/namespaces/s3%3A%2F%2Fraw/datasets")
    registry.get("/lineage", nodeId="dataset:s3://raw:flights.parquet")
    registry.get("/column-lineage", nodeId="dataset:s3://raw:flights.parquet")


def _pretend(registry: Registry, rows: int | None) -> set[str]:
    """Tell SQLite that each table that holds anything holds so many rows, or nothing; give those tables."""
    database = registry.database
    with database.migrating() as connection:
        connection.exec_driver_sql("ANALYZE")
        found = connection.exec_driver_sql("SELECT rowid, tbl, stat FROM sqlite_stat1").all()
        for rowid, _, stat in found:
            grown = " ".join((str(rows), *stat.split()[1:]))
            connection.exec_driver_sql("UPDATE sqlite_stat1 SET stat = ? WHERE rowid = ?", (grown, rowid))
        if rows is None:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    database.engine.dispose()  # A connection reads them once.
    return {table for _, table, _ in found}
