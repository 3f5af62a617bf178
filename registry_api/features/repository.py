"""The SQL of features: what was said and written, and the newest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.facts import FeatureContent
from festaf.registry_api.features.tables import (
    DeclarationTable,
    DefinitionTable,
    FeatureSetTable,
    FeatureTable,
    FeatureVersionTable,
    ProductionTable,
    WriteTable,
)
from festaf.registry_api.table import Moment
from festaf.registry_api.upsert import insert_missing

CHUNK = 400


@dataclass
class Touched:
    """The features whose newest facts may be others now, by feature set."""

    features: dict[int, set[int]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    """Feature sets of which every feature is touched."""

    def add(self, feature_set_id: int, said: Iterable[tuple[int, int, FeatureContent]], *, whole: bool) -> None:
        """Note features of a set, or all of it."""
        self.features.setdefault(feature_set_id, set()).update(feature_id for feature_id, _, _ in said)
        if whole:
            self.whole.add(feature_set_id)


class FeatureRepository:
    """Features and what is known of them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ensure_set(self, project: str, name: str) -> int:
        """Give the id of a feature set, made if it is new."""
        insert_missing(self.session, FeatureSetTable, [{"project": project, "name": name}], ["project", "name"])
        query = select(FeatureSetTable.id).where(FeatureSetTable.project == project, FeatureSetTable.name == name)
        return self.session.scalars(query).one()

    def find(self, project: str, feature_set: str, name: str) -> FeatureTable | None:
        """Give a feature that something still speaks of."""
        return self.session.scalars(
            select(FeatureTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .where(
                FeatureSetTable.project == project,
                FeatureSetTable.name == feature_set,
                FeatureTable.name == name,
                FeatureTable.first_seen.is_not(None),
            )
        ).first()

    def page(
        self,
        wanted: Mapping[str, str],
        text: str | None,
        as_of: datetime | None,
        after: tuple[str, ...] | None,
        limit: int,
    ) -> Sequence[Row[FeatureTable, FeatureSetTable]]:
        """List features by project, feature set and name.

        :param wanted: values that ``project``, ``feature_set``, ``owner`` and ``dag_id`` must have
        """
        key = (FeatureSetTable.project, FeatureSetTable.name, FeatureTable.name)
        columns = dict(zip(("project", "feature_set"), key, strict=False)) | {
            "owner": FeatureTable.owner,
            "dag_id": FeatureTable.dag_id,
        }
        query = (
            select(FeatureTable, FeatureSetTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .where(FeatureTable.first_seen.is_not(None), *(columns[name] == value for name, value in wanted.items()))
            .order_by(*key)
            .limit(limit)
        )
        if as_of is not None:
            query = query.where(FeatureTable.first_seen <= as_of)
        if text:
            like = [column.icontains(text, autoescape=True) for column in (FeatureTable.name, FeatureTable.description)]
            query = query.where(or_(*like))
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        return self.session.execute(query).all()

    def ensure_versions(
        self, feature_set_id: int, features: Iterable[FeatureContent]
    ) -> list[tuple[int, int, FeatureContent]]:
        """Give feature id, version id and content of each, made if new."""
        contents = {item.name: item for item in features}
        names = sorted(contents)
        if not names:
            return []
        rows = [{"feature_set_id": feature_set_id, "name": name, "deleted": False} for name in names]
        insert_missing(self.session, FeatureTable, rows, ["feature_set_id", "name"])
        ids = {
            name: feature_id
            for chunk in _chunks(names)
            for name, feature_id in self.session.execute(
                select(FeatureTable.name, FeatureTable.id).where(
                    FeatureTable.feature_set_id == feature_set_id, FeatureTable.name.in_(chunk)
                )
            )
        }
        versions = [
            {"feature_id": ids[name], "sha256": item.sha256, "declared": item.declared, "content": dict(item.content)}
            for name, item in sorted(contents.items())
        ]
        insert_missing(self.session, FeatureVersionTable, versions, ["feature_id", "sha256"])
        wanted = {(ids[name], item.sha256): item for name, item in contents.items()}
        found: list[tuple[int, int, FeatureContent]] = []
        for chunk in _chunks(sorted(wanted)):
            query = select(FeatureVersionTable.feature_id, FeatureVersionTable.sha256, FeatureVersionTable.id).where(
                tuple_(FeatureVersionTable.feature_id, FeatureVersionTable.sha256).in_(chunk)
            )
            found += [(fid, version, wanted[fid, sha256]) for fid, sha256, version in self.session.execute(query)]
        return found

    def forget_run(self, run_id: int, touched: Touched) -> None:
        """Remove what a run said and wrote before it is stored anew, and note what that touches."""
        query = select(DefinitionTable.id, DefinitionTable.feature_set_id, DefinitionTable.kind)
        definitions = self.session.execute(query.where(DefinitionTable.run_id == run_id)).all()
        columns = select(WriteTable.feature_set_id, WriteTable.lists_features)
        writes = self.session.execute(columns.where(WriteTable.run_id == run_id)).all()
        if not definitions and not writes:
            return
        for row in definitions:
            touched.add(row.feature_set_id, (), whole=row.kind != "mentioned")
        for write in writes:
            touched.add(write.feature_set_id, (), whole=not write.lists_features)
        ids = [row.id for row in definitions]
        said = select(DeclarationTable.feature_id).where(DeclarationTable.definition_id.in_(ids))
        written = select(ProductionTable.feature_id).where(ProductionTable.run_id == run_id)
        named = {*self.session.scalars(said), *self.session.scalars(written)}
        for chunk in _chunks(sorted(named)):
            pairs = select(FeatureTable.id, FeatureTable.feature_set_id).where(FeatureTable.id.in_(chunk))
            for feature_id, feature_set_id in self.session.execute(pairs):
                touched.features[feature_set_id].add(feature_id)
        self.session.execute(delete(DeclarationTable).where(DeclarationTable.definition_id.in_(ids)))
        self.session.execute(delete(DefinitionTable).where(DefinitionTable.run_id == run_id))
        self.session.execute(delete(ProductionTable).where(ProductionTable.run_id == run_id))
        self.session.execute(delete(WriteTable).where(WriteTable.run_id == run_id))

    def add_definition(self, definition: DefinitionTable, said: Sequence[tuple[int, int, FeatureContent]]) -> None:
        """Store what was said of a set and its features."""
        self.session.add(definition)
        self.session.flush()
        rows = [
            {
                "definition_id": definition.id,
                "feature_id": feature_id,
                "said_at": definition.said_at,
                "version_id": version_id,
                "declared": item.declared,
                "recorded_at": definition.recorded_at,
            }
            for feature_id, version_id, item in said
        ]
        if rows:
            insert_missing(self.session, DeclarationTable, rows, ["definition_id", "feature_id"])

    def add_write(self, write: WriteTable, said: Sequence[tuple[int, int, FeatureContent]]) -> None:
        """Store a write and one production for each feature."""
        self.session.add(write)
        self.session.flush()
        rows = [
            {
                "feature_id": feature_id,
                "ended_at": write.ended_at,
                "run_id": write.run_id,
                "version_id": version_id,
                "declared": item.declared,
                "recorded_at": write.recorded_at,
            }
            for feature_id, version_id, item in said
        ]
        if rows:
            insert_missing(self.session, ProductionTable, rows, ["feature_id", "ended_at", "run_id", "recorded_at"])

    def features(self, feature_set_id: int, ids: Collection[int] | None) -> list[FeatureTable]:
        """Give features of a set: those, or all."""
        query = select(FeatureTable).where(FeatureTable.feature_set_id == feature_set_id).order_by(FeatureTable.name)
        if ids is None:
            return list(self.session.scalars(query))
        return [
            row
            for chunk in _chunks(sorted(ids))
            for row in self.session.scalars(query.where(FeatureTable.id.in_(chunk)))
        ]

    def feature_set(self, feature_set_id: int) -> FeatureSetTable:
        """Give a feature set."""
        return self.session.get_one(FeatureSetTable, feature_set_id)

    def newest_definition(self, feature_set_id: int, kind: str, as_of: datetime | None) -> DefinitionTable | None:
        """Give the newest statement of a kind about a set."""
        query = select(DefinitionTable).where(
            DefinitionTable.feature_set_id == feature_set_id, DefinitionTable.kind == kind
        )
        query = query.where(DefinitionTable.said_at <= as_of) if as_of else query
        return self.session.scalars(
            query.order_by(DefinitionTable.said_at.desc(), DefinitionTable.sha256.desc()).limit(1)
        ).first()

    def run_and_write(self, run_id: int, feature_set_id: int) -> tuple[RunTable, WriteTable]:
        """Give a run and what it wrote into a set."""
        query = (
            select(RunTable, WriteTable)
            .join(WriteTable, WriteTable.run_id == RunTable.id)
            .where(RunTable.id == run_id, WriteTable.feature_set_id == feature_set_id)
        )
        row = self.session.execute(query).one()
        return row[0], row[1]

    def declared_order(self, feature_id: int) -> list[str]:
        """Give the hashes of every declared content of a feature that is still said, by when it was first said."""
        said = (
            select(func.min(DeclarationTable.said_at))
            .where(DeclarationTable.version_id == FeatureVersionTable.id)
            .scalar_subquery()
        )
        written = (
            select(func.min(ProductionTable.ended_at))
            .where(ProductionTable.version_id == FeatureVersionTable.id)
            .scalar_subquery()
        )
        query = select(FeatureVersionTable.sha256, type_coerce(said, Moment), type_coerce(written, Moment)).where(
            FeatureVersionTable.feature_id == feature_id, FeatureVersionTable.declared.is_(True)
        )
        found = [
            (min(moments), sha256)
            for sha256, *known in self.session.execute(query)
            if (moments := [moment for moment in known if moment])
        ]
        return [sha256 for _, sha256 in sorted(found)]


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
