"""Tell the life of a feature: what changed between its versions, and when it was written, retired and made again."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.feature import DagVersionRef
from festaf.contract.history import Change, HistoryItem, HistoryKind, Teller
from festaf.contract.http import Page
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.hiding import without_hidden
from festaf.registry_api.dags.repository import DagRepository
from festaf.registry_api.dags.seen import Seen, SeenRun
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.features.history_repository import HistoryRepository, Turn
from festaf.registry_api.features.portrait import known_owner
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.tables import FeatureTable, FeatureVersionTable
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.table import as_utc
from festaf.registry_api.viewpoint import Viewpoint

ORDER: tuple[HistoryKind, ...] = ("retired", "returned", "declared", "returned_to", "first_written", "code_changed")
"""What comes first of what happened at one moment."""
LONGEST_DIFF = 100_000
MOMENT = timedelta(microseconds=1)
NAME = "name"


@dataclass(frozen=True)
class Happening:
    """Something that happened, before it is put into words."""

    kind: HistoryKind
    turn: Turn
    until: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Give what orders it among the others; one kind happens once at a moment, but for declarations."""
        place = f"{ORDER.index(self.kind)}:{self.turn.value or ''}"
        return as_utc(self.turn.at).isoformat(timespec="microseconds"), place


class FeatureHistory:
    """Tells the life of one feature from one viewpoint."""

    def __init__(self, session: Session, view: Viewpoint, feature: FeatureTable, sight: Sight) -> None:
        self.view = view
        self.feature = feature
        self.history = HistoryRepository(session, view, feature)
        self.features = FeatureRepository(session)
        self.dags = DagRepository(session)
        self.seen = Seen(session, view, sight)
        self.sight = sight

    def page(self, cursor: str | None, limit: int) -> Page[HistoryItem]:
        """Give a page, the newest first."""
        before = decode_cursor(cursor, 2) if cursor else None
        happened = sorted(self._happened(), key=lambda item: item.key, reverse=True)
        if before:
            _check_moment(before[0])
            happened = [item for item in happened if item.key < before]
        shown = happened[:limit]
        items = self._told(shown)
        return Page(items=items, cursor=encode_cursor(*shown[-1].key) if len(happened) > limit else None)

    def _happened(self) -> list[Happening]:
        contents, codes = self.history.contents(), self.history.codes()
        versions = self.history.versions({turn.value for turn in contents})
        found = self._declared(contents, versions)
        own = [item.turn.at for item in found if item.kind == "retired"]
        found += [Happening("code_changed", turn) for turn in codes if turn.previous is not None]
        if first := self.history.first_written():
            found.append(Happening("first_written", first))
        return found + self._retired(own)

    def _declared(self, turns: Sequence[Turn], versions: Mapping[int, FeatureVersionTable]) -> list[Happening]:
        found: list[Happening] = []
        stood: set[str] = set()
        ends = [turn.last_before for turn in turns[1:]] + [self.history.last_said()][: len(turns)]
        for turn, until in zip(turns, ends, strict=True):
            version = versions[turn.value]
            kind: HistoryKind = "returned_to" if version.sha256 in stood else "declared"
            if version.content.get("deleted"):
                kind = "retired"
            stood.add(version.sha256)
            named = replace(turn, value=version.sha256, previous=_sha256(versions.get(turn.previous)))
            found.append(Happening(kind, named, until))
        return found

    def _retired(self, own: Sequence[datetime]) -> list[Happening]:
        """Give when the set was retired and the feature came back; a second retirement in between is none.

        :param own: when the feature itself was retired
        """
        found: list[Happening] = []
        beginning = self.history.life_after(None)
        back = beginning.at if beginning else None
        for turn in self.history.retirements():
            if back is None or turn.at <= back:
                continue
            again = self.history.life_after(turn.at)
            if again and again.at == turn.at:
                continue
            since, back = back, again.at if again else None
            if any(since <= at <= turn.at and not self._came_back(at, turn.at) for at in own):
                continue
            found.append(Happening("retired", turn))
            if again:
                found.append(Happening("returned", again))
        return found

    def _came_back(self, retired: datetime, until: datetime) -> bool:
        """Tell whether the feature was spoken of or written after it was retired itself."""
        again = self.history.life_after(retired + MOMENT)
        return again is not None and again.at <= until

    def _told(self, shown: Sequence[Happening]) -> tuple[HistoryItem, ...]:
        definitions = self.history.definitions(
            {item.turn.definition_id for item in shown if item.turn.definition_id is not None}
        )
        ids = {run for item in shown for run in (item.turn.run_id, item.turn.previous_run_id) if run is not None}
        runs = self.seen.runs_by_id(ids)
        versions = self.seen.versions(list(runs.values()), self.seen.parents(runs.values()))
        hashes = {sha256 for item in shown for sha256 in (item.turn.value, item.turn.previous) if sha256}
        contents = without_hidden(self.features.contents(self.feature.id, hashes), self.sight)
        order = self.features.declared_orders([self.feature.id], self.view).get(self.feature.id, [])
        items: list[HistoryItem] = []
        for item in shown:
            turn = item.turn
            run = runs.get(turn.run_id) if turn.run_id is not None else None
            definition = definitions.get(turn.definition_id) if turn.definition_id is not None else None
            by = _teller(run, versions[run.id][0] if run else None, definition.content if definition else {})
            declared = item.turn.value if item.turn.value in contents else None
            changes = (
                self._code_changes(turn, runs, versions)
                if item.kind == "code_changed"
                else _changes(contents.get(turn.previous, {}), contents[declared])
                if declared
                else ()
            )
            items.append(
                HistoryItem(
                    at=turn.at,
                    kind=item.kind,
                    version=order.index(declared) + 1 if declared in order else None,
                    version_sha256=declared,
                    until=item.until,
                    by=by,
                    changes=changes,
                )
            )
        return tuple(items)

    def _code_changes(
        self, turn: Turn, runs: Mapping[int, SeenRun], versions: Mapping[int, tuple[DagVersionRef, str | None]]
    ) -> tuple[Change, ...]:
        """Compare the DAG file, the task's code, and the DAG's version of two writes."""
        before = runs.get(turn.previous_run_id) if turn.previous_run_id is not None else None
        after = runs.get(turn.run_id) if turn.run_id is not None else None
        pairs: list[tuple[str, str | None, str | None]] = [("dag_file", turn.previous, turn.value)]
        if before and after:
            pairs.append(("task_code", _code(before), _code(after)))
        texts = self.dags.codes({sha256 for _, *pair in pairs for sha256 in pair if sha256})
        changes = [
            Change(field=name, before=old, after=new, diff=_diff(texts.get(old or "", ""), texts.get(new or "", "")))
            for name, old, new in pairs
            if old != new
        ]
        if before and after:
            old_number, new_number = versions[before.id][0].number, versions[after.id][0].number
            if old_number != new_number:
                changes.append(Change(field="dag_version", before=old_number, after=new_number))
        return tuple(changes)


def _teller(run: SeenRun | None, version: DagVersionRef | None, content: Mapping[str, Any]) -> Teller | None:
    if run is None:
        caller = content.get("declared_by")
        return Teller(declared_by=caller) if caller else None
    task = run.task
    return Teller(
        namespace=run.namespace,
        dag_id=task.dag_id if task else None,
        task_id=task.task_id if task else run.job,
        run_id=task.run_id if task else None,
        map_index=task.map_index if task else -1,
        openlineage_run_id=run.uuid,
        dag_version=version,
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Compare two contents field by field; a feature's name is not its content."""
    changes: list[Change] = []
    for name in sorted({*before, *after} - {NAME}):
        old, new = (_value(name, content.get(name)) for content in (before, after))
        if old != new:
            texts = [value if isinstance(value, str) else "" for value in (old, new)]
            long = name == "logic" or any("\n" in text for text in texts)
            changes.append(Change(field=name, before=old, after=new, diff=_diff(*texts) if long else None))
    return tuple(changes)


def _value(name: str, value: Any) -> Any:
    """Give what was said of a field; an owner that a masker hid was not said."""
    return known_owner(value) if name == "owner" else value or None


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), fromfile="before", tofile="after", lineterm="", n=3
    )
    text = "\n".join(lines)
    return text if len(text) <= LONGEST_DIFF else text[:LONGEST_DIFF] + "\n... cut"


def _code(run: SeenRun) -> str | None:
    found = reading.code(bodies(run.told.job_facets))
    return found[1] if found else None


def _sha256(version: FeatureVersionTable | None) -> str | None:
    return version.sha256 if version else None


def _check_moment(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError("the cursor is not one that this list gave out") from error
