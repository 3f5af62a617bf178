"""Read what Airflow knows of its DAGs now, and tell what changed: details, versions and their texts, deletions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.names import sha256_of
from festaf.contract.openlineage import DagSnapshot, JobEvent
from festaf.registry_api.airflow import telling
from festaf.registry_api.airflow.answers import Asset, Dag, Version
from festaf.registry_api.airflow.details import Details, path_of
from festaf.registry_api.airflow.errors import AbsentError, RefusedError, UnexpectedError
from festaf.registry_api.airflow.proof import proof, proven_text
from festaf.registry_api.airflow.repository import AirflowRepository, KnownRepository, ReadingRepository
from festaf.registry_api.airflow.tables import AirflowDagTable
from festaf.registry_api.airflow.work import Work
from festaf.registry_api.table import content_sha256

ASSETS_EVERY = timedelta(minutes=10)
"""Airflow counts its asset events to list its assets, so they are not asked for often."""
SOURCE_EVERY = timedelta(minutes=10)
"""Airflow rewrites the text of a version in place when only the body of a function changed."""
OLD_VERSIONS = 20
"""So many of a DAG's versions are told when it is first met."""
LOOKED_FOR = 50
"""So many DAGs that are no longer listed are asked about one by one in a cycle."""


@dataclass
class _Uses:
    """Which DAGs use assets, what their tasks read, and what their schedules wait for."""

    dags: set[str] = field(default_factory=set)
    inlets: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    awaited: dict[str, set[str]] = field(default_factory=dict)


class DagReader:
    """Reads the DAGs of one deployment."""

    def __init__(self, work: Work, details: Details) -> None:
        self.work = work
        self.details = details

    def read(self) -> None:
        """Read everything that is due.

        :raises AirflowError: Airflow stopped answering; what was told before stands
        """
        self._read_assets()
        dags = {
            dag.dag_id: dag for dag in self.work.every(Dag, "/dags", "dags", exclude_stale="false", order_by="dag_id")
        }
        with self.work.database.reading() as session:
            noted = ReadingRepository(session, self.work.deployment.pk).dags()
            known = KnownRepository(session).dags_of(self.work.namespace)
        newest = self._newest_versions(noted)
        for dag in dags.values():
            self._tell(dag, noted.get(dag.dag_id), newest.get(dag.dag_id, []))
        gone = [dag_id for dag_id, deleted in sorted(known.items()) if dag_id not in dags and not deleted]
        for dag_id in gone[:LOOKED_FOR]:
            self._look_for(dag_id, noted.get(dag_id))
        self.work.commit([], lambda session, _: self._note(session, dags_read_at=self.work.clock()))

    def _tell(self, dag: Dag, noted: AirflowDagTable | None, fresh: list[Version]) -> None:
        """Tell a DAG if anything of it changed."""
        events: list[JobEvent] = []
        version = max(fresh, key=lambda item: item.version_number, default=None) or _version(dag, noted)
        columns: dict[str, Any] = {"path": dag.relative_fileloc}
        moved = noted is None or noted.bundle_version != dag.bundle_version
        if moved:
            columns |= {"bundle_version": dag.bundle_version, "bundle_since": dag.last_parsed}
        if version is not None:
            columns |= {"version_id": version.id, "version_number": version.version_number}
        old = sorted(fresh, key=lambda item: item.version_number)[:-1][-OLD_VERSIONS:]
        events += [event for item in old if (event := self._old_version(dag, item))]
        source = None
        if version is not None and self._source_due(noted, fresh):
            source, proofs = self._read_text(dag, version, None if moved else noted)
            events += proofs
            columns |= {"source_read_at": self.work.clock(), "source_sha256": sha256_of(source) if source else None}
            if proofs:
                columns["proven_version"] = dag.bundle_version
        snapshot = telling.dag_snapshot(dag, version, source, noted.waits_for if noted else None)
        said = _said(snapshot)
        changed = source is not None and (noted is None or noted.source_sha256 != columns["source_sha256"])
        if changed or noted is None or noted.said != said:
            events.append(telling.dag_event(self.work.namespace, snapshot, self.work.client.now()))
            columns["said"] = said
        elif "source_read_at" not in columns and not moved:
            return
        self.work.commit(events, lambda _, reading: reading.keep_dag(dag.dag_id, **columns))
        self.work.figures.add("dag_changes", bool(events))
        if events:
            self.work.say(f"DAG {dag.dag_id}: told what Airflow knows of it")

    def _read_text(
        self, dag: Dag, version: Version, noted: AirflowDagTable | None
    ) -> tuple[str | None, list[JobEvent]]:
        """Read the newest text, and prove once that it is that of the bundle's version.

        :param noted: what was noted in an earlier cycle when the DAG was parsed from the same version, else None
        """
        source = self.details.source(dag.dag_id, version.version_number)
        if source is None or noted is None or noted.bundle_since is None:
            return source, []
        if (noted.proven_version, noted.source_sha256) == (dag.bundle_version, sha256_of(source)):
            return source, []
        text = proven_text(self.work, self.details, dag, version.version_number, noted.bundle_since)
        if text is None:
            return source, []
        self.work.figures.add("texts_proven")
        return text, [proof(self.work.namespace, dag, version, text, noted.bundle_since)]

    def _source_due(self, noted: AirflowDagTable | None, fresh: list[Version]) -> bool:
        """Tell whether the text is to be read: of a new version, and now and then of a DAG that matters to lineage."""
        if fresh or noted is None or noted.source_read_at is None:
            return True
        return noted.uses_assets and self.work.clock() - noted.source_read_at >= SOURCE_EVERY

    def _old_version(self, dag: Dag, version: Version) -> JobEvent | None:
        source = self.details.source(dag.dag_id, version.version_number)
        if source is None or version.created_at is None:
            return None
        snapshot = DagSnapshot(
            dag_id=dag.dag_id,
            dag_version_id=version.id,
            version_number=version.version_number,
            bundle_name=version.bundle_name,
            path=dag.relative_fileloc,
            source=source,
        )
        return telling.dag_event(self.work.namespace, snapshot, version.created_at)

    def _newest_versions(self, noted: Mapping[str, AirflowDagTable]) -> dict[str, list[Version]]:
        """List the versions that are new since the last look; ids grow with time, so the newest come first."""
        found: dict[str, list[Version]] = {}
        offset = 0
        while True:
            items, total = self.work.page(
                "/dags/~/dagVersions", "dag_versions", order_by="-id", limit=self.work.client.pace.page, offset=offset
            )
            versions = [version for item in items if (version := self.work.read(Version, item))]
            fresh = [version for version in versions if _is_new(version, noted.get(version.dag_id))]
            for version in fresh:
                found.setdefault(version.dag_id, []).append(version)
            offset += len(items)
            if not fresh or offset >= total:
                return found

    def _look_for(self, dag_id: str, noted: AirflowDagTable | None) -> None:
        """Mark a DAG that is not listed as deleted, if Airflow says so itself."""
        try:
            self.work.client.get(path_of("dags", dag_id))
        except AbsentError:
            snapshot = telling.deleted_snapshot(dag_id)
            event = telling.dag_event(self.work.namespace, snapshot, self.work.client.now())
            self.work.commit([event], lambda _, reading: reading.keep_dag(dag_id, said=_said(snapshot)))
            self.work.figures.add("dag_changes")
            self.work.say(f"DAG {dag_id}: Airflow no longer has it")
        except (RefusedError, UnexpectedError):
            return

    def _read_assets(self) -> None:
        """Learn which DAGs use assets, wait for them, and what their tasks read, when it is long ago."""
        now = self.work.clock()
        with self.work.database.reading() as session:
            row = AirflowRepository(session).get(self.work.deployment.pk)
        if row is None or (row.assets_read_at is not None and now - row.assets_read_at < ASSETS_EVERY):
            return
        uses = _Uses()
        for asset in self.work.every(Asset, "/assets", "assets", order_by="id"):
            _use(uses, asset)
        with self.work.database.reading() as session:
            noted = ReadingRepository(session, self.work.deployment.pk).dags()

        def note(session: Session, reading: ReadingRepository) -> None:
            for dag_id in sorted(uses.dags | set(noted)):
                found = {
                    "uses_assets": dag_id in uses.dags,
                    "inlets": uses.inlets.get(dag_id, {}),
                    "waits_for": sorted(uses.awaited.get(dag_id, ())),
                }
                old = noted.get(dag_id)
                if old is None or any(getattr(old, name) != value for name, value in found.items()):
                    reading.keep_dag(dag_id, **found)
            self._note(session, assets_read_at=now)

        self.work.commit([], note)

    def _note(self, session: Session, **columns: datetime) -> None:
        row = AirflowRepository(session).get(self.work.deployment.pk)
        for name, value in columns.items():
            setattr(row, name, value)


def _use(uses: _Uses, asset: Asset) -> None:
    for use in (*asset.scheduled_dags, *asset.producing_tasks, *asset.consuming_tasks):
        uses.dags.add(use.dag_id)
    uri = asset.uri or asset.name
    if not uri:
        return
    for use in asset.scheduled_dags:
        uses.awaited.setdefault(use.dag_id, set()).add(uri)
    for use in asset.consuming_tasks:
        if use.task_id:
            uses.inlets.setdefault(use.dag_id, {}).setdefault(use.task_id, []).append(uri)


def _is_new(version: Version, noted: AirflowDagTable | None) -> bool:
    return noted is None or noted.version_number is None or version.version_number > noted.version_number


def _version(dag: Dag, noted: AirflowDagTable | None) -> Version | None:
    """Give the newest version as it was noted."""
    if noted is None or noted.version_id is None or noted.version_number is None:
        return None
    return Version(
        id=noted.version_id, version_number=noted.version_number, dag_id=dag.dag_id, bundle_name=dag.bundle_name
    )


def _said(snapshot: DagSnapshot) -> str:
    """Hash what matters of a snapshot: when it was parsed last is no change, and the text is compared by itself."""
    return content_sha256(snapshot.model_dump(mode="json", exclude={"last_parsed", "source"}))
