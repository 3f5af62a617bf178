"""The SQL of a feature's life: where one content, or one code, takes the place of another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Subquery, func, literal, null, select, type_coerce, union_all
from sqlalchemy.orm import Session

from festaf.registry_api.dags.tables import DagSayingTable, DagVersionTable, RunTable
from festaf.registry_api.features.tables import (
    DeclarationTable,
    DefinitionTable,
    FeatureTable,
    FeatureVersionTable,
    ListedVersionTable,
    WriteTable,
)
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import AS_OF, KNOWN_AT, Viewpoint, standing

MOST = 10_000
"""How many turns of a life are looked at, the newest."""


@dataclass(frozen=True)
class Turn:
    """A moment at which something is not what it was; who said it is a run, or a definition outside a run."""

    at: datetime
    value: Any
    """What holds from then on."""
    previous: Any
    """What held before; None at the beginning."""
    last_before: datetime | None
    """When the previous value was said for the last time."""
    run_id: int | None
    definition_id: int | None = None
    previous_run_id: int | None = None


class HistoryRepository:
    """The life of one feature, as it is seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint, feature: FeatureTable) -> None:
        self.session = session
        self.view = view
        self.feature = feature

    def contents(self) -> list[Turn]:
        """Give the declarations that differ from the one before, by version id, the oldest first."""
        said = union_all(*self._said(declared=True)).subquery()
        sha256 = FeatureVersionTable.sha256
        rows = (
            select(said.c.at, said.c.version_id, said.c.run_id, said.c.definition_id, sha256, RunTable.uuid)
            .add_columns(DefinitionTable.sha256.label("speech"))
            .join(FeatureVersionTable, FeatureVersionTable.id == said.c.version_id)
            .outerjoin(RunTable, RunTable.id == said.c.run_id)
            .outerjoin(DefinitionTable, DefinitionTable.id == said.c.definition_id)
            .subquery()
        )
        order = (rows.c.at, rows.c.sha256, rows.c.uuid.nulls_last(), rows.c.speech.nulls_last())
        return self._turns(rows, rows.c.version_id, order)

    def codes(self) -> list[Turn]:
        """Give the writes by another DAG file than the write before, by the hash of its text, the oldest first."""
        written = union_all(*self._written()).subquery()
        version = self._version()
        rows = (
            select(written.c.at, written.c.run_id, null().label("definition_id"), RunTable.uuid)
            .add_columns(DagVersionTable.source_sha256.label("source"))
            .join(RunTable, RunTable.id == written.c.run_id)
            .join(DagVersionTable, DagVersionTable.id == version)
            .where(DagVersionTable.source_sha256.is_not(None))
            .subquery()
        )
        return self._turns(rows, rows.c.source, (rows.c.at, rows.c.uuid))

    def last_said(self) -> datetime | None:
        """Give when the newest declaration was said for the last time."""
        said = union_all(*self._said(declared=True)).subquery()
        return self.session.scalar(select(type_coerce(func.max(said.c.at), Moment)), self.view.asked)

    def first_written(self) -> Turn | None:
        """Give the first write."""
        return self._first(union_all(*self._written()).subquery(), None)

    def retirements(self) -> list[Turn]:
        """Give when the feature set was retired, the oldest first."""
        query = (
            select(DefinitionTable.said_at, DefinitionTable.run_id, DefinitionTable.id)
            .where(DefinitionTable.feature_set_id == self.feature.feature_set_id, DefinitionTable.kind == "retired")
            .where(*standing(DefinitionTable, self.view.known), *self._by_then(DefinitionTable.said_at))
            .order_by(DefinitionTable.said_at.desc(), DefinitionTable.sha256.desc())
            .limit(MOST)
        )
        rows = self.session.execute(query, self.view.asked).all()
        return [Turn(at, None, None, None, run_id, definition) for at, run_id, definition in reversed(rows)]

    def life_after(self, moment: datetime | None) -> Turn | None:
        """Give the first time that the feature was spoken of or written, at or after a moment when one is given."""
        return self._first(union_all(*self._said(declared=False), *self._written()).subquery(), moment)

    def definitions(self, ids: set[int]) -> dict[int, DefinitionTable]:
        """Give definitions by id."""
        query = select(DefinitionTable).where(DefinitionTable.id.in_(sorted(ids)))
        return {row.id: row for row in self.session.scalars(query)} if ids else {}

    def versions(self, ids: set[int]) -> dict[int, FeatureVersionTable]:
        """Give contents by id."""
        ordered = sorted(ids)
        found: dict[int, FeatureVersionTable] = {}
        for start in range(0, len(ordered), 400):
            query = select(FeatureVersionTable).where(FeatureVersionTable.id.in_(ordered[start : start + 400]))
            found |= {row.id: row for row in self.session.scalars(query)}
        return found

    def _turns(self, rows: Subquery, value: Any, order: tuple[Any, ...]) -> list[Turn]:
        previous = func.lag(value).over(order_by=order)
        with_previous = select(
            rows.c.at,
            value.label("value"),
            previous.label("previous"),
            func.lag(rows.c.at).over(order_by=order).label("last_before"),
            rows.c.run_id,
            rows.c.definition_id,
            func.lag(rows.c.run_id).over(order_by=order).label("previous_run_id"),
            func.row_number().over(order_by=order).label("place"),
        ).subquery()
        columns = with_previous.c
        query = (
            select(
                type_coerce(columns.at, Moment),
                columns.value,
                columns.previous,
                type_coerce(columns.last_before, Moment),
                columns.run_id,
                columns.definition_id,
                columns.previous_run_id,
            )
            .where(columns.previous.is_(None) | (columns.previous != columns.value))
            .order_by(columns.place.desc())
            .limit(MOST)
        )
        return [Turn(*row) for row in reversed(self.session.execute(query, self.view.asked).all())]

    def _first(self, rows: Subquery, after: datetime | None) -> Turn | None:
        query = (
            select(type_coerce(rows.c.at, Moment), rows.c.run_id, rows.c.definition_id)
            .outerjoin(RunTable, RunTable.id == rows.c.run_id)
            .order_by(rows.c.at, RunTable.uuid.nulls_last())
            .limit(1)
        )
        if after is not None:
            query = query.where(rows.c.at >= literal(after, Moment()))
        row = self.session.execute(query, self.view.asked).first()
        return Turn(row[0], None, None, None, row[1], row[2]) if row else None

    def _said(self, *, declared: bool) -> list[Select[*tuple[Any, ...]]]:
        """Give what definitions and writes said of the feature: time, content, and who."""
        known = self.view.known
        told = (
            select(
                DeclarationTable.said_at.label("at"),
                DeclarationTable.version_id.label("version_id"),
                DefinitionTable.run_id.label("run_id"),
                DeclarationTable.definition_id.label("definition_id"),
            )
            .join(DefinitionTable, DefinitionTable.id == DeclarationTable.definition_id)
            .where(DeclarationTable.feature_id == self.feature.id, *standing(DeclarationTable, known))
            .where(*self._by_then(DeclarationTable.said_at))
        )
        written = self._listed()
        if declared:
            told = told.where(DeclarationTable.declared.is_(True))
            written = written.where(FeatureVersionTable.declared.is_(True))
        return [told, written]

    def _written(self) -> list[Select[*tuple[Any, ...]]]:
        """Give the writes of the feature and those of the whole set, in the columns of ``_said``."""
        empty = type_coerce(null(), DefinitionTable.id.type)
        whole = select(WriteTable.ended_at, empty, WriteTable.run_id, empty).where(
            WriteTable.feature_set_id == self.feature.feature_set_id,
            WriteTable.lists_features.is_(False),
            *standing(WriteTable, self.view.known),
            *self._by_then(WriteTable.ended_at),
        )
        return [self._listed(), whole]

    def _listed(self) -> Select[*tuple[Any, ...]]:
        """Give the writes that list the feature, in the columns of ``_said``."""
        return (
            select(
                WriteTable.ended_at.label("at"),
                FeatureVersionTable.id.label("version_id"),
                WriteTable.run_id.label("run_id"),
                type_coerce(null(), DefinitionTable.id.type).label("definition_id"),
            )
            .select_from(FeatureVersionTable)
            .join(ListedVersionTable, ListedVersionTable.version_id == FeatureVersionTable.id)
            .join(WriteTable, WriteTable.feature_list_id == ListedVersionTable.feature_list_id)
            .where(FeatureVersionTable.feature_id == self.feature.id, *standing(WriteTable, self.view.known))
            .where(*self._by_then(WriteTable.ended_at))
        )

    def _version(self) -> Any:
        """Give the DAG version of a run, as its events had said by then."""
        if not self.view.known:
            return RunTable.dag_version_pk
        said: Select[int | None] = (
            select(DagSayingTable.version_pk)
            .join(EventTable, EventTable.id == DagSayingTable.event_id)
            .where(EventTable.run_uuid == RunTable.uuid, DagSayingTable.recorded_at <= KNOWN_AT)
            .order_by(DagSayingTable.said_at.desc(), EventTable.dedupe_key.desc())
            .limit(1)
        )
        return said.correlate(RunTable).scalar_subquery()

    def _by_then(self, moment: Any) -> list[Any]:
        return [moment <= AS_OF] if self.view.dated else []
