"""Record what events say of features: what is new is added, what a run no longer says is ended, the rest is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from festaf.registry_api.bulk import Key
from festaf.registry_api.changes import concern_anything
from festaf.registry_api.features.facts import FeatureContent, SetStatement, SetWrite
from festaf.registry_api.features.record_repository import DEFINED, PRODUCED, WRITTEN, RecordRepository
from festaf.registry_api.features.refresh import Refresher
from festaf.registry_api.features.touched import Spoken, Touched, Written
from festaf.registry_api.graph.names import source_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.lineage.recording import Batch, FoldedRun
from festaf.registry_api.memory import recall
from festaf.registry_api.table import content_sha256


@dataclass(frozen=True)
class Speech:
    """What one run or one event says."""

    run: FoldedRun | None
    event_id: int | None
    statements: Sequence[SetStatement]
    writes: Sequence[SetWrite]

    @property
    def run_id(self) -> int | None:
        """Give the id of the run's row."""
        return self.run.id if self.run else None


class FeatureRecorder:
    """Keeps definitions, declarations, writes and productions."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows = RecordRepository(session)
        self.graph = GraphService(session)
        self.refresher = Refresher(session)
        self.memory = recall(session)
        self.sets: dict[Key, int] = {}
        self.spoken: dict[int, tuple[Spoken, ...]] = {}
        """By the object of a statement or write, its features: each once, of two contents of one name the last."""

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of features."""
        speeches = [Speech(None, item.id, item.facts.statements, ()) for item in batch.events if item.facts]
        speeches += [Speech(run, None, run.facts.statements, run.facts.writes) for run in batch.runs]
        known = {run.id: run for run in batch.runs if run.known}
        speeches = [item for item in speeches if item.statements or item.writes]
        if not speeches and not known:
            return
        touched = Touched()
        self._name(speeches, touched)
        self._record_definitions(speeches, known, batch.now, touched)
        self._record_writes(speeches, known, batch.now, touched)
        self._record_productions(speeches, known, batch.now, touched)
        if touched.unsure:
            concern_anything(self.session)
        self.refresher.refresh(touched)

    def _name(self, speeches: Iterable[Speech], touched: Touched) -> None:
        """Find the ids of all that is named, and make the rows that are missing."""
        said: list[SetStatement | SetWrite] = []
        for speech in speeches:
            said += [*speech.statements, *speech.writes]
        self.sets, fresh_sets = self.rows.ensure_sets({(item.project, item.feature_set) for item in said})
        touched.fresh_sets = {self.sets[name] for name in fresh_sets}
        self.spoken = {}
        strange: list[tuple[SetStatement | SetWrite, Key, list[FeatureContent]]] = []
        for item in said:
            contents = list({content.name: content for content in item.features or ()}.values())
            key: Key = ("spoken", self.sets[item.project, item.feature_set], _digest(contents))
            known = self.memory.get(key)
            if known is None:
                strange.append((item, key, contents))
            else:
                self.spoken[id(item)] = tuple(map(Spoken, *known, contents))
        if strange:
            self._meet(strange)

    def _meet(self, strange: Sequence[tuple[SetStatement | SetWrite, Key, Sequence[FeatureContent]]]) -> None:
        """Find the ids of features and contents that no earlier batch named together, and remember them together."""
        named = {(key[1], item.name, item.sha256): item for _, key, contents in strange for item in contents}
        features, _ = self.rows.ensure_features({(set_id, name) for set_id, name, _ in named})
        rows: dict[Key, dict[str, Any]] = {
            (features[set_id, name], sha256): {
                "feature_id": features[set_id, name],
                "sha256": sha256,
                "declared": content.declared,
                "content": dict(content.content),
            }
            for (set_id, name, sha256), content in named.items()
        }
        versions, fresh = self.rows.ensure_versions(rows)
        new = {(features[set_id, name], sha256): item for (set_id, name, sha256), item in named.items()}
        self._keep_sources({versions[key]: new[key] for key in fresh})
        for item, key, contents in strange:
            ids = [features[key[1], content.name] for content in contents]
            pairs = zip(ids, contents, strict=True)
            known = (tuple(ids), tuple(versions[number, content.sha256] for number, content in pairs))
            self.memory.put(key, known)
            self.spoken[id(item)] = tuple(map(Spoken, *known, contents))

    def _keep_sources(self, contents: dict[int, FeatureContent]) -> None:
        named = {source_node(uri) for content in contents.values() for uri in content.sources}
        if not named:
            return
        nodes = self.graph.ids(named)
        self.rows.keep_sources(
            {(version, nodes[source_node(uri)]) for version, content in contents.items() for uri in content.sources}
        )

    def _record_definitions(
        self, speeches: Iterable[Speech], known: dict[int, FoldedRun], now: datetime, touched: Touched
    ) -> None:
        standing: dict[Key, list[int]] = {}
        about: dict[int, tuple[int, str, dict[int, tuple[int, bool]]]] = {}
        for definition_id, columns, declared in self.rows.definitions(known) if known else ():
            standing.setdefault((columns, _frozen(declared)), []).append(definition_id)
            about[definition_id] = (columns[1], columns[2], declared)
        rows: list[dict[str, Any]] = []
        parts: list[tuple[Spoken, ...]] = []
        for speech in speeches:
            for statement in speech.statements:
                set_id = self.sets[statement.project, statement.feature_set]
                content = dict(statement.content)
                spoken = self.spoken[id(statement)]
                columns = (speech.run_id, set_id, statement.kind, statement.said_at, content_sha256(content))
                key = (columns, _frozen({item.feature_id: (item.version_id, item.content.declared) for item in spoken}))
                if standing.get(key):
                    del about[standing[key].pop()]
                    continue
                own = dict(zip(DEFINED, columns, strict=True))
                rows.append({**own, "content": content, "event_id": speech.event_id, "recorded_at": now})
                parts.append(spoken)
                touched.state(set_id, statement, spoken)
        if about:
            for set_id, kind, declared in about.values():
                touched.end(set_id, declared, whole=kind != "mentioned")
            self.rows.end_definitions(about, now)
        ids = self.rows.add_definitions(rows)
        self.rows.add_declarations(
            [
                {
                    "definition_id": definition_id,
                    "feature_id": item.feature_id,
                    "said_at": row["said_at"],
                    "version_id": item.version_id,
                    "declared": item.content.declared,
                    "recorded_at": now,
                }
                for definition_id, row, spoken in zip(ids, rows, parts, strict=True)
                for item in spoken
            ]
        )

    def _record_writes(
        self, speeches: Iterable[Speech], known: dict[int, FoldedRun], now: datetime, touched: Touched
    ) -> None:
        standing = {columns: write_id for write_id, columns in (self.rows.writes(known) if known else ())}
        rows: list[dict[str, Any]] = []
        for speech in speeches:
            for write in speech.writes if speech.run else ():
                set_id = self.sets[write.project, write.feature_set]
                columns: Key = (
                    speech.run_id,
                    set_id,
                    write.ended_at,
                    write.features is not None,
                    write.rows_read,
                    write.rows_accepted,
                    write.rows_rejected,
                    write.last_event_time,
                )
                if standing.pop(columns, None) is not None:
                    if speech.run and speech.run.moved:
                        touched.end(set_id, (), whole=write.features is None)
                    continue
                rows.append({**dict(zip(WRITTEN, columns, strict=True)), "recorded_at": now})
                if write.features is None:
                    touched.whole.add(set_id)
        for columns in standing:
            touched.end(columns[1], (), whole=not columns[3])
        if standing:
            self.rows.end_writes(standing.values(), now)
        self.rows.add_writes(rows)

    def _record_productions(
        self, speeches: Iterable[Speech], known: dict[int, FoldedRun], now: datetime, touched: Touched
    ) -> None:
        standing = self.rows.productions(known) if known else set()
        kept: set[Key] = set()
        rows: dict[str, list[Any]] = {name: [] for name in PRODUCED}
        for run, write in ((item.run, write) for item in speeches if item.run for write in item.writes):
            set_id, spoken = self.sets[write.project, write.feature_set], self.spoken[id(write)]
            stood = [item for item in spoken if _production(run, write, item) in standing] if standing else []
            kept.update(_production(run, write, item) for item in stood)
            if stood and run.moved:
                touched.end(set_id, [item.feature_id for item in stood], whole=False)
            new = tuple(item for item in spoken if item not in stood) if stood else spoken
            if new:
                touched.write(set_id, Written(write.ended_at, new, run))
            rows["feature_id"] += [item.feature_id for item in new]
            rows["version_id"] += [item.version_id for item in new]
            rows["declared"] += [item.content.declared for item in new]
            rows["ended_at"] += [write.ended_at] * len(new)
            rows["run_id"] += [run.id] * len(new)
        if ended := standing - kept:
            sets = self.rows.sets_of({columns[0] for columns in ended})
            for columns in ended:
                touched.end(sets[columns[0]], (columns[0],), whole=False)
            self.rows.end_productions({columns[:3] for columns in ended}, now)
        self.rows.add_productions({**rows, "recorded_at": [now] * len(rows["run_id"])})


def _production(run: FoldedRun, write: SetWrite, item: Spoken) -> Key:
    """Give the columns ``PRODUCED``."""
    return item.feature_id, write.ended_at, run.id, item.version_id, item.content.declared


def _digest(contents: Iterable[FeatureContent]) -> bytes:
    """Hash contents; each hash speaks of the name, too."""
    return sha256("".join([item.sha256 for item in contents]).encode()).digest()


def _frozen(declared: dict[int, tuple[int, bool]]) -> frozenset[Any]:
    return frozenset(declared.items())
