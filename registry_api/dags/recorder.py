"""Record what each event said of a DAG, so that an earlier time and an earlier knowledge can be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.openlineage import DagSnapshot, DatasetEvent, RunEvent
from festaf.registry_api.dags.repository import DagRepository
from festaf.registry_api.dags.saying_repository import SayingRepository
from festaf.registry_api.dags.service import said_by, version_sha256
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.recording import Batch
from festaf.registry_api.table import content_sha256, natural_key
from festaf.registry_api.viewpoint import NOW

PASSING = frozenset({"next_run", "last_parsed"})
"""Facts that are others each time, and so do not belong to a content; that there is no next run is kept with it."""


@dataclass
class Said:
    """What one event said of a DAG."""

    event_id: int
    dag: str
    """The DAG's natural key."""
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    version: str | None = None
    """Hash of the content of the DAG's version."""
    number: int | None = None
    next_run: datetime | None = None

    @cached_property
    def facts_sha256(self) -> str:
        """Hash the facts."""
        return content_sha256(self.facts)


class DagRecorder:
    """Keeps a row for every event that speaks of a DAG."""

    def __init__(self, session: Session) -> None:
        self.sayings = SayingRepository(session, NOW)
        self.dags = DagRepository(session)

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of DAGs."""
        said = [*_said(batch), *self._earlier(batch)]
        if not said:
            return
        dags = self.dags.ids_by_key({item.dag for item in said})
        known = [item for item in said if item.dag in dags]
        contents = {(dags[item.dag], item.facts_sha256): item.facts for item in known}
        facts = self.sayings.keep_facts(contents)
        versions = self.sayings.version_pks({(dags[item.dag], item.version) for item in known if item.version})
        self.sayings.add(
            [
                {
                    "event_id": item.event_id,
                    "facts_pk": facts[dags[item.dag], item.facts_sha256],
                    "version_pk": versions.get((dags[item.dag], item.version)) if item.version else None,
                    "number": item.number,
                    "next_run": item.next_run,
                    "said_at": item.at,
                    "recorded_at": batch.now,
                }
                for item in known
            ]
        )

    def _earlier(self, batch: Batch) -> list[Said]:
        """Give the earlier events of runs, of which only now is known whose DAG they are."""
        dags = {
            run.state.run_id: natural_key(run.facts.namespace, run.facts.dag_id)
            for run in batch.runs
            if run.known and run.facts.dag_id
        }
        silent = self.sayings.silent_events(dags, min(item.id for item in batch.events)) if dags else []
        return [Said(event, dags[run], at) for event, run, at in silent]


def _said(batch: Batch) -> list[Said]:
    dags = {run.state.run_id: run.facts.dag_id for run in batch.runs}
    said: list[Said] = []
    for item in batch.events:
        event = item.event
        if isinstance(event, DatasetEvent):
            continue
        found = reading.dag_snapshot(event.job.facets)
        dag_id = found[0].dag_id if found else dags.get(event.run.run_id) if isinstance(event, RunEvent) else None
        if dag_id is None:
            continue
        saying = Said(item.id, natural_key(event.job.namespace, dag_id), event.event_time)
        said.append(_of_snapshot(saying, *found) if found else saying)
    return said


def _of_snapshot(saying: Said, snapshot: DagSnapshot, source_sha256: str | None) -> Said:
    facts = said_by(snapshot)
    saying.facts = {name: value for name, value in facts.items() if name not in PASSING or value is None}
    saying.version = version_sha256(snapshot, source_sha256)
    saying.number = snapshot.version_number if snapshot.dag_version_id else None
    saying.next_run = snapshot.next_run if facts.get("next_run") else None
    return saying
