"""Record what events say of training sets, models, endpoints and monitors."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.openlineage import DatasetEvent, EventType, JobEvent
from festaf.registry_api.artifacts.facts import ArtifactFact, artifact_facts
from festaf.registry_api.artifacts.repository import ArtifactRepository
from festaf.registry_api.artifacts.tables import ArtifactFactTable
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.lineage.recording import AnyEvent, Batch, FoldedRun
from festaf.registry_api.table import content_sha256


class ArtifactRecorder:
    """Keeps facts about artifacts. A run says them when it has completed, as it does of feature sets."""

    def __init__(self, session: Session) -> None:
        self.artifacts = ArtifactRepository(session)

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of artifacts."""
        rows: list[ArtifactFactTable] = []
        for item in batch.events:
            rows += _rows(_of_event(item.event), batch.now, event_id=item.id)
        said = [row for run in batch.runs for row in _rows(_of_run(run), batch.now, run_id=run.id)]
        stood = self.artifacts.standing_of({run.id for run in batch.runs if run.known})
        again = {_key(row) for row in said}
        self.artifacts.end([row for row in stood if _key(row) not in again], batch.now)
        kept = {_key(row) for row in stood}
        rows += [row for row in said if _key(row) not in kept]
        if rows:
            self.artifacts.add(rows)


def _key(row: ArtifactFactTable) -> tuple[object, ...]:
    return row.run_id, row.kind, row.project, row.name, row.said_at, row.sha256


def _of_run(run: FoldedRun) -> list[ArtifactFact]:
    if run.facts.state is not EventType.COMPLETE:
        return []
    outputs = sorted(run.state.outputs.values(), key=lambda item: (item.namespace, item.name))
    named = [(item.namespace, item.name, bodies(item.facets)) for item in outputs]
    return artifact_facts(named, run.facts.ended_at or run.facts.last_event_at)


def _of_event(event: AnyEvent) -> list[ArtifactFact]:
    if isinstance(event, DatasetEvent):
        dataset = event.dataset
        return artifact_facts([(dataset.namespace, dataset.name, dataset.facets)], event.event_time)
    if isinstance(event, JobEvent):
        named = [(item.namespace, item.name, item.facets) for item in event.outputs]
        return artifact_facts(named, event.event_time)
    return []


def _rows(
    facts: Iterable[ArtifactFact], now: datetime, *, run_id: int | None = None, event_id: int | None = None
) -> list[ArtifactFactTable]:
    return [
        ArtifactFactTable(
            kind=fact.kind,
            project=fact.project,
            name=fact.name,
            version=fact.version,
            said_at=fact.said_at,
            sha256=content_sha256(dict(fact.content)),
            content=dict(fact.content),
            run_id=run_id,
            event_id=event_id,
            recorded_at=now,
        )
        for fact in facts
    ]
