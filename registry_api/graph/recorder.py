"""Record what events say of edges."""

from __future__ import annotations

from sqlalchemy.orm import Session

from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.lineage.recording import Batch


class GraphRecorder:
    """Keeps edge sets and their sightings; the nodes stand already."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of edges."""
        graph = GraphService(self.session, batch.now)
        for item in batch.events:
            if item.facts:
                graph.record(item.facts.edges, event_id=item.id)
        for run in batch.runs:
            graph.record(run.facts.edges, run_id=run.id)
