"""Record what events say of edges: what is new is added, what a run no longer states is ended, the rest is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from festaf.registry_api.bulk import Key
from festaf.registry_api.changes import concern
from festaf.registry_api.graph.aliases import EVER
from festaf.registry_api.graph.names import EdgeStatement, NodeName
from festaf.registry_api.graph.record_repository import SIGHTED, Asserted, EdgeRecordRepository
from festaf.registry_api.graph.repository import GraphRepository
from festaf.registry_api.graph.subjects import subjects_of
from festaf.registry_api.lineage.recording import Batch
from festaf.registry_api.memory import recall

RESTATED = (("last_stated", "stated_at"), ("last_run", "last_run"))
"""What an edge set repeats of its last sighting."""


class GraphRecorder:
    """Keeps edge sets and their sightings; the nodes stand already."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows = EdgeRecordRepository(session)
        self.nodes = GraphRepository(session)
        self.memory = recall(session)

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of edges.

        A statement without any edge says nothing and closes nothing: most tasks report no dataset at all.
        """
        said = [(item.id, None, part) for item in batch.events if item.facts for part in item.facts.edges]
        stated: list[tuple[int | None, int | None, EdgeStatement]] = [*said]
        stated += [(None, run.id, part) for run in batch.runs for part in run.facts.edges]
        stated = [item for item in stated if item[2].edges]
        standing = self.rows.sightings({run.id for run in batch.runs if run.known})
        if not stated and not standing:
            return
        asserters, sets = self._sets([part for _, _, part in stated])
        kept = {columns: sighting_id for sighting_id, columns in standing.items()}
        rows: list[dict[str, Any]] = []
        for event_id, run_id, part in stated:
            asserter = asserters[part.asserter]
            columns = (
                asserter,
                part.origin,
                sets[asserter, part.origin, part.sha256],
                part.stated_at,
                part.closing,
                part.last_run,
                part.mapped_in,
                run_id,
            )
            if run_id is not None and kept.pop(columns, None) is not None:
                continue
            own = dict(zip(SIGHTED, columns, strict=True))
            rows.append({**own, "event_id": event_id, "recorded_at": batch.now})
        self._record(rows, kept, batch.now)

    def _record(self, rows: list[dict[str, Any]], ended: Mapping[Key, int], now: datetime) -> None:
        gone = [dict(zip(SIGHTED, columns, strict=True)) for columns in ended]
        asserted = {(row["asserter_id"], row["origin"]) for row in (*rows, *gone)}
        if not asserted:
            return
        last, current = self.rows.last_closings(asserted), self.rows.current(asserted)
        again = _restated(rows, gone, last, current)
        concerned = {row["edge_set_id"] for row in (*rows, *gone) if (row["asserter_id"], row["origin"]) not in again}
        concerned |= {set_id for key, sets in current.items() if key not in again for set_id in sets}
        self.rows.end(ended.values(), now)
        self.rows.add(rows)
        self.rows.restate(
            [{"which": row["edge_set_id"], **{name: row[of] for name, of in RESTATED}} for row in again.values()]
        )
        mapped = {(row["asserter_id"], row["mapped_in"]) for row in rows if row["closing"] and row["mapped_in"]}
        if reopened := {(row["asserter_id"], row["origin"]) for row in gone if row["closing"]}:
            closing = self.rows.last_closings(reopened)
            concerned |= self.rows.stated_since({key: closing.get(key, EVER) for key in reopened})
            mapped |= self.rows.mapped_at(closing)
        concerned |= self.rows.mapped(mapped)
        if others := concerned - {row["edge_set_id"] for row in rows}:
            concern(self.session, subjects_of(self.rows.ends(others)))
        self.rows.refresh(concerned)

    def _sets(self, statements: list[EdgeStatement]) -> tuple[dict[NodeName, int], dict[Key, int]]:
        """Give the ids of asserters and of edge sets; make those that are new."""
        asserters = self._asserters({part.asserter for part in statements})
        by_key = {(asserters[part.asserter], part.origin, part.sha256): part for part in statements}
        sets, fresh = self.rows.ensure_sets(by_key.keys())
        edges = {sets[key]: by_key[key].edges for key in sorted(fresh)}
        ids = self.nodes.ids({end for part in edges.values() for edge in part for end in (edge.source, edge.target)})
        rows: dict[Key, dict[str, Any]] = {}
        for set_id, part in edges.items():
            for edge in sorted(part, key=lambda edge: edge.transformation or ""):
                source, target = ids[edge.source], ids[edge.target]
                rows[set_id, source, target] = {
                    "edge_set_id": set_id,
                    "source_id": source,
                    "target_id": target,
                    "transformation": edge.transformation,
                }
        self.rows.add_edges([rows[key] for key in sorted(rows)])
        return asserters, sets

    def _asserters(self, nodes: set[NodeName]) -> dict[NodeName, int]:
        found = {node: number for node in nodes if (number := self.memory.get(("asserter", node))) is not None}
        for node, number in self.nodes.ids(nodes - found.keys()).items():
            self.memory.put(("asserter", node), number)
            found[node] = number
        return found


def _restated(
    rows: Iterable[dict[str, Any]],
    gone: Iterable[dict[str, Any]],
    last: Mapping[Asserted, datetime],
    current: Mapping[Asserted, Mapping[int, datetime | None]],
) -> dict[Asserted, dict[str, Any]]:
    """Give the last row of each asserter and origin that said no more than: the one set that stands goes on to stand.

    That is what most runs say. What follows from it is known without asking: the set stands, since it was stated later
    than whatever was closed, and it closes nothing, since nothing else stood.
    """
    said: dict[Asserted, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        said[row["asserter_id"], row["origin"]].append(row)
    for row in gone:
        said.pop((row["asserter_id"], row["origin"]), None)
    found: dict[Asserted, dict[str, Any]] = {}
    for key, own in said.items():
        stood, closed = current[key], last.get(key)
        times = sorted(row["stated_at"] for row in own)
        bounds = [moment for moment in (*stood.values(), closed) if moment]
        if (
            len(stood) == 1
            and len(bounds) == 2
            and times[0] > max(bounds)
            and len(set(times)) == len(times)
            and all(row["edge_set_id"] in stood and row["closing"] and not row["mapped_in"] for row in own)
        ):
            found[key] = max(own, key=itemgetter("stated_at"))
    return found
