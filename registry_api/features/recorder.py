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
from festaf.registry_api.features.record_repository import DEFINED, RecordRepository, WriteRow
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
    """Keeps definitions, declarations and writes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows = RecordRepository(session)
        self.graph = GraphService(session)
        self.refresher = Refresher(session)
        self.memory = recall(session)
        self.sets: dict[Key, int] = {}
        self.spoken: dict[int, tuple[Spoken, ...]] = {}
        """By the object of a statement or write, its features: each once, of two contents of one name the last."""
        self.listings: dict[int, tuple[int, str]] = {}
        """By the object of a statement or write, its set and the hash of what it lists."""

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
        self.spoken, self.listings = {}, {}
        strange: list[tuple[SetStatement | SetWrite, Key, list[FeatureContent]]] = []
        for item in said:
            named = {content.name: content for content in item.features or ()}
            contents = [named[name] for name in sorted(named)]
            listing = self.listings[id(item)] = (self.sets[item.project, item.feature_set], _digest(contents))
            key: Key = ("spoken", *listing)
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
                key = (columns, _frozen({item.feature_id: (item.version_id, item.content.decides) for item in spoken}))
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
                    "declared": item.content.decides,
                    "recorded_at": now,
                }
                for definition_id, row, spoken in zip(ids, rows, parts, strict=True)
                for item in spoken
            ]
        )

    def _record_writes(
        self, speeches: Sequence[Speech], known: dict[int, FoldedRun], now: datetime, touched: Touched
    ) -> None:
        lists = self._ensure_lists(speeches)
        standing = {(row.run_id, row.feature_set_id): (write_id, row) for write_id, row in self.rows.writes(known)}
        listed = self.rows.listed({row.feature_list_id for _, row in standing.values() if row.feature_list_id})
        unchanged: dict[Key, set[int]] = {}
        rows: list[dict[str, Any]] = []
        for run, write in ((item.run, write) for item in speeches if item.run for write in item.writes):
            set_id, spoken = self.sets[write.project, write.feature_set], self.spoken[id(write)]
            pair, row = (run.id, set_id), _row(run, set_id, write, lists.get(self.listings[id(write)]))
            _, stood = standing.get(pair, (None, None))
            if stood == row:
                del standing[pair]
                if run.moved:
                    touched.end(set_id, [item.feature_id for item in spoken], whole=write.features is None)
                continue
            same: dict[int, int] = {}
            if stood and stood.feature_list_id and stood.ended_at == write.ended_at and not run.moved:
                same = listed[stood.feature_list_id]
            new = tuple(item for item in spoken if same.get(item.feature_id) != item.version_id) if same else spoken
            unchanged[pair] = {item.feature_id for item in spoken} - {item.feature_id for item in new}
            if new:
                touched.write(set_id, Written(write.ended_at, new, run))
            if write.features is None:
                touched.whole.add(set_id)
            rows.append({**row._asdict(), "recorded_at": now})
        for pair, (_, row) in standing.items():
            gone = listed.get(row.feature_list_id, {}).keys() - unchanged.get(pair, set())
            touched.end(row.feature_set_id, gone, whole=not row.lists_features)
        self.rows.end_writes([write_id for write_id, _ in standing.values()], now)
        self.rows.add_writes(rows)

    def _ensure_lists(self, speeches: Sequence[Speech]) -> dict[Key, int]:
        """Find the ids of the lists of contents that writes name, and fill those that are new."""
        writes = [write for item in speeches if item.run for write in item.writes]
        spoken = {self.listings[id(write)]: items for write in writes if (items := self.spoken[id(write)])}
        lists, fresh = self.rows.ensure_lists(spoken)
        self.rows.fill_lists({(item.version_id, lists[key]) for key in fresh for item in spoken[key]})
        return lists


def _row(run: FoldedRun, set_id: int, write: SetWrite, feature_list_id: int | None) -> WriteRow:
    return WriteRow(
        run_id=run.id,
        feature_set_id=set_id,
        ended_at=write.ended_at,
        lists_features=write.features is not None,
        feature_list_id=feature_list_id,
        rows_read=write.rows_read,
        rows_accepted=write.rows_accepted,
        rows_rejected=write.rows_rejected,
        last_event_time=write.last_event_time,
    )


def _digest(contents: Iterable[FeatureContent]) -> str:
    """Hash contents; each hash speaks of the name, too."""
    return sha256("".join([item.sha256 for item in contents]).encode()).hexdigest()


def _frozen(declared: dict[int, tuple[int, bool]]) -> frozenset[Any]:
    return frozenset(declared.items())
