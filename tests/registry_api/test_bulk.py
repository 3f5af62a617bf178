"""Many rows in few statements: what both databases have to keep alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, tuple_
from sqlalchemy.exc import DataError, IntegrityError

from festaf.registry_api.bulk import add_columns, add_numbered, add_rows, change, change_rows, ensure, fetch
from festaf.registry_api.catalog.tables import NamespaceTable
from festaf.registry_api.dags.tables import DagTable
from festaf.registry_api.database import Database
from festaf.registry_api.features.tables import FeatureSetTable
from festaf.registry_api.graph.tables import NodeTable
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.upsert import insert_missing, insert_or_change
from tests.registry_api.databases import with_schema

NOW = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
ODD = 'it is "{odd}", \\N\n\t%s, \U0001f600'


def _node(key: str, at: datetime = NOW, **changed: Any) -> dict[str, Any]:
    row = {"key": key, "kind": "field", "namespace": ODD, "name": f"name of {key}", "field": None, "first_seen": at}
    return {**row, **changed}


def _dag(key: str, facts: Any) -> dict[str, Any]:
    return {"key": key, "namespace": "n", "dag_id": key, "facts": facts, "first_seen": NOW, "last_seen": NOW}


def _event(key: str, run: UUID | None, body: bytes) -> dict[str, Any]:
    times = {"event_time": NOW, "received_at": NOW}
    return {"dedupe_key": key, "kind": "run", "run_uuid": run, "event_type": None, "body": body, **times}


def test_what_is_written_is_read_again(database: Database) -> None:
    node = _node("a", datetime(2026, 1, 1, 14, 30, tzinfo=timezone(timedelta(hours=2))), namespace=ODD, field="")
    facts = {"text": ODD, "none": None, "large": 2**70, "half": "\ud800", "list": [1, [2.5, True]], "empty": {}}
    run, body = UUID(int=7), bytes(range(256))

    with database.writing() as session:
        add_rows(session, NodeTable, [node, _node("b")])
        add_rows(session, DagTable, [_dag("a", facts), _dag("b", []), _dag("c", "null")])
        add_rows(session, EventTable, [_event("a", run, body), _event("b", None, b"")])

    with database.reading() as session:
        nodes = session.scalars(select(NodeTable).order_by(NodeTable.key)).all()
        assert [(row.namespace, row.field) for row in nodes] == [(ODD, ""), (ODD, None)]
        assert [row.first_seen for row in nodes] == [datetime(2026, 1, 1, 12, 30, tzinfo=UTC), NOW]
        assert list(session.scalars(select(DagTable.facts).order_by(DagTable.key))) == [facts, [], "null"]
        events = session.execute(select(EventTable.run_uuid, EventTable.body).order_by(EventTable.dedupe_key)).all()
        assert [tuple(row) for row in events] == [(run, body), (None, b"")]


def test_more_rows_than_a_statement_has_parameters_keep_their_order(database: Database) -> None:
    names = [f"set_{number}" for number in range(70_000)]

    with database.writing() as session:
        rows = [{"project": "p", "name": name} for name in names]
        ids = add_numbered(session, FeatureSetTable, FeatureSetTable.id, rows)
        add_columns(session, NamespaceTable, {"key": names, "name": names, "first_seen": [NOW] * len(names)})
        by_id = dict(session.execute(select(FeatureSetTable.id, FeatureSetTable.name)).all())
        found = set(fetch(session, select(NamespaceTable.name), NamespaceTable.key, names))
        column = tuple_(FeatureSetTable.project, FeatureSetTable.name)
        pairs = set(fetch(session, select(FeatureSetTable.name), column, [("p", name) for name in names]))

    assert ids == sorted(ids)
    assert [by_id[number] for number in ids] == names
    assert len(found) == len(pairs) == len(names)


def test_ids_go_on_after_those_that_were_given_ahead(database: Database) -> None:
    with database.writing() as session:
        add_numbered(session, FeatureSetTable, FeatureSetTable.id, [{"project": "p", "name": "a"}])
        add_rows(session, FeatureSetTable, [{"project": "p", "name": "b"}])
        unique = (FeatureSetTable.project, FeatureSetTable.name)
        rows = {("p", name): {"project": "p", "name": name} for name in "bc"}
        ids, fresh = ensure(session, FeatureSetTable, FeatureSetTable.id, unique, rows)

    assert fresh == {("p", "c")}
    assert len({*ids.values()}) == 2


def test_of_rows_with_one_key_in_one_statement_one_is_kept(database: Database) -> None:
    early, late = NOW - timedelta(days=1), NOW + timedelta(days=1)
    with database.writing() as session:
        pair = [{"project": "p", "name": "a"}] * 2
        assert insert_missing(session, FeatureSetTable, pair, ["project", "name"]) == 1
        twice = [_node("a", late), _node("a", early), _node("a", NOW)]
        assert insert_missing(session, NodeTable, [_node("a", late)], ["key"], earliest="first_seen") == 1
        assert insert_missing(session, NodeTable, twice, ["key"], earliest="first_seen") == 1
        assert insert_missing(session, NodeTable, twice, ["key"], earliest="first_seen") == 0
        assert session.scalar(select(NodeTable.first_seen)) == early
        insert_or_change(session, NodeTable, [_node("a"), _node("a", name="last")], ["key"], ["name"])
        assert session.execute(select(NodeTable.name, NodeTable.first_seen)).all() == [("last", early)]


def test_the_last_change_of_a_row_counts(database: Database) -> None:
    with database.writing() as session:
        one, other = add_numbered(session, DagTable, DagTable.id, [_dag("a", {}), _dag("b", {})])
        changes = [{"which": one, "facts": {"a": 1}}, {"which": other, "facts": {}}, {"which": one, "facts": {"a": 2}}]
        change_rows(session, DagTable, DagTable.id, changes)
        assert dict(session.execute(select(DagTable.key, DagTable.facts)).all()) == {"a": {"a": 2}, "b": {}}


def test_rows_are_found_and_removed_by_what_a_column_holds(database: Database) -> None:
    runs = [UUID(int=number) for number in range(3)]
    with database.writing() as session:
        add_rows(session, EventTable, [_event(str(run.int), run, b"") for run in runs])
        add_rows(session, NodeTable, [_node("a"), _node(ODD), _node("c", NOW + timedelta(days=1))])

        found = fetch(session, select(EventTable.dedupe_key), EventTable.run_uuid, runs[1:])
        assert {row[0] for row in found} == {"1", "2"}
        assert [row[0] for row in fetch(session, select(NodeTable.name), NodeTable.key, [ODD])] == [f"name of {ODD}"]
        assert list(fetch(session, select(NodeTable.name), NodeTable.key, [])) == []
        change(session, delete(NodeTable), tuple_(NodeTable.first_seen, NodeTable.key), [(NOW, "a"), (NOW, "c")])
        assert set(session.scalars(select(NodeTable.key))) == {ODD, "c"}


@pytest.mark.parametrize("number", [2**63, 2**70])
def test_a_number_that_is_out_of_range_is_refused(database: Database, number: int) -> None:
    with pytest.raises((DataError, OverflowError)), database.writing() as session:
        add_rows(session, FeatureSetTable, [{"id": number, "project": "p", "name": "a"}])


def test_a_text_that_is_too_long_is_refused_and_not_cut(postgres_url: str) -> None:
    database = with_schema(Database(postgres_url))
    with pytest.raises(DataError), database.writing() as session:
        add_rows(session, FeatureSetTable, [{"project": "p", "name": "a" * 65}])
    with pytest.raises(IntegrityError), database.writing() as session:
        add_rows(session, FeatureSetTable, [{"project": "p", "name": None}])
    database.close()


def test_writers_that_bring_the_same_rows_at_once_do_not_cross(database: Database) -> None:
    rows = {("p", f"set_{number}"): {"project": "p", "name": f"set_{number}"} for number in range(2_000)}
    nodes = [_node(f"{number:04}") for number in range(2_000)]

    def write(turn: int) -> dict[Any, int]:
        with database.writing() as session:
            unique = (FeatureSetTable.project, FeatureSetTable.name)
            seen = [{**node, "first_seen": NOW - timedelta(seconds=turn)} for node in nodes]
            insert_missing(session, NodeTable, seen, ["key"], earliest="first_seen")
            return ensure(session, FeatureSetTable, FeatureSetTable.id, unique, rows)[0]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, range(8)))

    assert all(answer == answers[0] for answer in answers)
    with database.reading() as session:
        assert set(session.scalars(select(NodeTable.first_seen))) == {NOW - timedelta(seconds=7)}
