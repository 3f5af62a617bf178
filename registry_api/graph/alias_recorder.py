"""Record what events say of the names of datasets and of what happened to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.openlineage import RunEvent
from festaf.registry_api.changes import concern_anything
from festaf.registry_api.graph.alias_repository import AliasRepository
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.graph.tables import LifecycleTable
from festaf.registry_api.lineage.naming import Change, changes_of_event, changes_of_run, symlinks_of
from festaf.registry_api.lineage.recording import Batch

Known = tuple[int, str, datetime, int | None]
"""node, change, when, older name"""


class Seen:
    """Nodes with the earliest time at which they were named."""

    def __init__(self) -> None:
        self.nodes: dict[NodeName, datetime] = {}

    def add(self, nodes: Iterable[NodeName], at: datetime) -> None:
        """Note that nodes were named at a time."""
        for node in nodes:
            known = self.nodes.get(node)
            if known is None or at < known:
                self.nodes[node] = at


class AliasRecorder:
    """Keeps symlinks for good, and of each run what it did to datasets."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.aliases = AliasRepository(session)

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of names."""
        symlinks: set[tuple[NodeName, NodeName]] = set()
        changes: dict[tuple[int | None, int | None], set[Change]] = defaultdict(set)
        graph = GraphService(self.session)
        seen = Seen()
        for item in batch.events:
            named = symlinks_of(item.event)
            symlinks |= named
            if not isinstance(item.event, RunEvent):
                changes[None, item.id] |= changes_of_event(item.event)
            seen.add((name for pair in named for name in pair), item.event.event_time)
        for run in batch.runs:
            changes[run.id, None] |= changes_of_run(run.state, run.facts.ended_at)
        for said in changes.values():
            for change in said:
                seen.add(filter(None, (change.node, change.previous)), change.at)
        if symlinks or any(changes.values()):
            concern_anything(self.session)
        graph.keep_nodes(seen.nodes)
        self._keep_symlinks(graph, symlinks, batch)
        self._keep_changes(graph, changes, batch)

    def _keep_symlinks(self, graph: GraphService, symlinks: set[tuple[NodeName, NodeName]], batch: Batch) -> None:
        ids = graph.ids({name for pair in symlinks for name in pair})
        self.aliases.keep_symlinks({(ids[one], ids[other]) for one, other in symlinks}, batch.now)

    def _keep_changes(
        self, graph: GraphService, changes: dict[tuple[int | None, int | None], set[Change]], batch: Batch
    ) -> None:
        """Put what the runs of the batch did in the place of what they were known to have done."""
        ids = graph.ids(
            {name for said in changes.values() for change in said for name in (change.node, change.previous) if name}
        )
        known: dict[int | None, dict[Known, LifecycleTable]] = defaultdict(dict)
        for row in self.aliases.changes({run.id for run in batch.runs if run.known}):
            known[row.run_id][row.node_id, row.change, row.said_at, row.other_id] = row
        for (run_id, event_id), said in changes.items():
            wanted: set[Known] = {
                (ids[item.node], item.change, item.at, ids[item.previous] if item.previous else None) for item in said
            }
            for key, row in known[run_id].items() if run_id is not None else ():
                if key not in wanted:
                    self._supersede(row, batch)
            for node_id, kind, said_at, other_id in sorted(wanted - known[run_id].keys(), key=repr):
                self.session.add(
                    LifecycleTable(
                        node_id=node_id,
                        change=kind,
                        said_at=said_at,
                        other_id=other_id,
                        run_id=run_id,
                        event_id=event_id,
                        recorded_at=batch.now,
                    )
                )
        self.session.flush()

    def _supersede(self, row: LifecycleTable, batch: Batch) -> None:
        if row.recorded_at == batch.now:
            self.session.delete(row)
        else:
            row.superseded_at = batch.now
