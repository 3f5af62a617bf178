"""Repeat the newest facts on the features' own rows.

Most batches only add newer facts of the same content: then the row follows from itself and from what was added. Where
more happened, the newest is asked of the tables, as for any answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.newest_repository import Newest, Production, Saying
from festaf.registry_api.features.portrait import Gallery, Portrait, SetPortrait
from festaf.registry_api.features.record_repository import FOLLOWED, RecordRepository
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.tables import FeatureTable, FeatureVersionTable
from festaf.registry_api.features.touched import Added, Follow, Spoken, Touched, Written
from festaf.registry_api.search.index import SearchIndex

if TYPE_CHECKING:
    from festaf.registry_api.lineage.recording import FoldedRun

SILENT = SetPortrait(declared={}, observed={}, retired_at=None)
"""A set of which nothing was said as a whole."""


class Refresher:
    """Keeps the rows of features up to date."""

    def __init__(self, session: Session) -> None:
        self.rows = RecordRepository(session)
        self.features = FeatureRepository(session)
        self.gallery = Gallery(session)
        self.index = SearchIndex(session)

    def refresh(self, touched: Touched) -> None:
        """Change the rows of what was touched."""
        follows = touched.follows()
        begun = touched.fresh_sets - touched.whole - touched.unsure.keys()
        easy = {
            feature_id: (set_id, added)
            for set_id, features in touched.added.items()
            if set_id not in touched.whole and set_id not in begun
            for feature_id, added in features.items()
            if feature_id not in touched.unsure.get(set_id, ())
        }
        hard: dict[int, set[int] | None] = {set_id: set(ids) for set_id, ids in touched.unsure.items() if ids}
        changes: list[dict[str, Any]] = []
        self._follow_writes(follows, hard)
        rows = self.rows.rows_of(easy)
        for feature_id, (set_id, added) in easy.items():
            change = _follow(rows[feature_id], added)
            if change is None:
                known = hard.setdefault(set_id, set())
                known.add(feature_id) if known is not None else None
            else:
                changes.append({"which": feature_id, **change})
        self.rows.change_features(changes)
        hard |= dict.fromkeys(touched.whole)
        self.draw(hard)
        self._show({set_id: _begin(touched.added[set_id]) for set_id in begun if set_id in touched.added})

    def _follow_writes(self, follows: Mapping[int, Follow], hard: dict[int, set[int] | None]) -> None:
        """Note the newest writes on the rows of features that repeat nothing else; the others are added to ``hard``."""
        if not follows:
            return
        columns: dict[str, list[Any]] = {name: [] for name in FOLLOWED}
        for first_at, newest in follows.values():
            count = len(newest.spoken)
            columns["which"] += [item.feature_id for item in newest.spoken]
            columns["content"] += [item.version_id for item in newest.spoken]
            columns["declares"] += [item.content.declared for item in newest.spoken]
            columns["dag"] += [newest.run.facts.dag_id] * count
            columns["namespace"] += [newest.run.facts.dag_namespace] * count
            columns["first_at"] += [first_at] * count
            columns["last_at"] += [newest.at] * count
        if self.rows.follow(columns) == len(columns["which"]):
            return
        rows = self.rows.rows_of(columns["which"])
        for set_id, (_, newest) in follows.items():
            if behind := {
                item.feature_id for item in newest.spoken if not _repeats(rows[item.feature_id], item, newest)
            }:
                hard[set_id] = behind

    def draw(self, asked: Mapping[int, set[int] | None]) -> None:
        """Change the rows of features of sets, or with None of all in a set, by what the tables say."""
        if asked:
            self._show(self.gallery.draw_sets(self.features.features_of_sets(asked)))

    def _show(self, portraits: Mapping[int, Sequence[Portrait]]) -> None:
        indexed = self.index.keep(portraits)
        self.rows.change_features(
            [
                {"which": portrait.newest.feature.id, **portrait.row(), "indexed": indexed[portrait.newest.feature.id]}
                for drawn in portraits.values()
                for portrait in drawn
            ]
        )


def _repeats(row: Any, item: Spoken, newest: Written) -> bool:
    """Tell whether a row repeats the write, be it since now or since another that says the same of the same time."""
    repeated = (row.said_at, row.last_written, row.content_id, row.version_id is not None, row.deleted)
    wanted = (newest.at, newest.at, item.version_id, item.content.declared, False)
    return row.first_seen is not None and repeated == wanted and _same_dag(row, newest.run)


def _follow(row: Any, added: Sequence[Added]) -> dict[str, Any] | None:
    """Give the columns that follow from newer facts of the same content; None when the tables have to be asked."""
    if row.first_seen is None or row.deleted or row.said_at is None:
        return None
    declared = row.version_id is not None
    deciding = [item for item in added if item.content.decides]
    saying = max(deciding if declared else added, key=lambda item: item.order, default=None)
    writes = [(item.at, item.run.state.run_id.hex, item.run) for item in added if item.run]
    last_written, _, run = max(writes, key=lambda item: item[:2], default=(row.last_written, "", None))
    follows = (
        min(item.at for item in added) > max(row.said_at, row.last_written or row.said_at)
        and (declared or not deciding)
        and (saying is None or (saying.version_id == row.content_id and not saying.content.content.get("deleted")))
        and (run is None or _same_dag(row, run))
    )
    said_at = saying.at if saying else row.said_at
    return {"said_at": said_at, "last_written": last_written} if follows else None


def _same_dag(row: Any, run: FoldedRun) -> bool:
    return (row.dag_id, row.dag_namespace) == (run.facts.dag_id, run.facts.dag_namespace)


def _begin(features: Mapping[int, Sequence[Added]]) -> list[Portrait]:
    """Draw features of which nothing else is known, nor of their set, as the tables would say it."""
    runs: dict[int, RunTable] = {}
    return [
        Portrait(
            Newest(
                feature=FeatureTable(id=feature_id, name=added[0].content.name),
                first_said=min(item.at for item in added),
                first_written=min((item.at for item in added if item.run), default=None),
                last_said=max(item.at for item in added),
                saying=_newest_saying(added),
                production=_newest_production(added, runs),
            ),
            SILENT,
        )
        for feature_id, added in features.items()
    ]


def _newest_saying(added: Sequence[Added]) -> Saying:
    newest = max([item for item in added if item.content.decides] or added, key=lambda item: item.order)
    item = newest if newest.content.declared else max(added, key=lambda item: item.order)
    content = item.content
    version = FeatureVersionTable(
        id=item.version_id, sha256=content.sha256, declared=content.declared, content=dict(content.content)
    )
    return Saying(item.at, version)


def _newest_production(added: Sequence[Added], runs: dict[int, RunTable]) -> Production | None:
    """Give the newest write of a feature; its run's row is made once for all features."""
    written = [(item.at, item.run) for item in added if item.run]
    if not written:
        return None
    at, run = max(written, key=lambda item: (item[0], item[1].state.run_id.hex))
    row = runs.get(run.id)
    if row is None:
        row = runs[run.id] = RunTable(id=run.id, uuid=run.state.run_id)
    return Production(at, row, run.facts.dag_id, run.facts.dag_namespace)
