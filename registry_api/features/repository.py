"""The SQL of features: what was said and written, and the newest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.dags.tables import DagTable, RunTable
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
from festaf.registry_api.upsert import insert_missing

CHUNK = 400


@dataclass(frozen=True)
class Saying:
    """A content of a feature and when it was said."""

    at: datetime
    version: FeatureVersionTable

    @property
    def order(self) -> tuple[datetime, str]:
        """Order sayings; the hash decides between equal times."""
        return self.at, self.version.sha256


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
        self, wanted: Mapping[str, str], text: str | None, after: tuple[str, ...] | None, limit: int
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

    def forget_run(self, run_id: int) -> tuple[set[int], set[int]]:
        """Remove what a run said and wrote before it is stored anew; give the feature sets and features touched."""
        definitions = self.session.execute(
            select(DefinitionTable.id, DefinitionTable.feature_set_id).where(DefinitionTable.run_id == run_id)
        ).all()
        written = select(WriteTable.feature_set_id).where(WriteTable.run_id == run_id)
        sets = {row.feature_set_id for row in definitions} | set(self.session.scalars(written))
        if not sets:
            return set(), set()
        ids = [row.id for row in definitions]
        declared = select(DeclarationTable.feature_id).where(DeclarationTable.definition_id.in_(ids))
        produced = select(ProductionTable.feature_id).where(ProductionTable.run_id == run_id)
        features = set(self.session.scalars(declared)) | set(self.session.scalars(produced))
        self.session.execute(delete(DeclarationTable).where(DeclarationTable.definition_id.in_(ids)))
        self.session.execute(delete(DefinitionTable).where(DefinitionTable.run_id == run_id))
        self.session.execute(delete(ProductionTable).where(ProductionTable.run_id == run_id))
        self.session.execute(delete(WriteTable).where(WriteTable.run_id == run_id))
        return sets, features

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
            }
            for feature_id, version_id, item in said
        ]
        if rows:
            insert_missing(self.session, ProductionTable, rows, ["feature_id", "ended_at", "run_id"])

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

    def newest_saying(self, feature_id: int, *, declared: bool, as_of: datetime | None) -> Saying | None:
        """Give the newest content of a feature, from definitions and from writes."""
        found = [
            self._newest(
                DeclarationTable.said_at,
                DeclarationTable.version_id,
                _of(DeclarationTable, feature_id, declared),
                as_of,
            ),
            self._newest(
                ProductionTable.ended_at, ProductionTable.version_id, _of(ProductionTable, feature_id, declared), as_of
            ),
        ]
        return max((item for item in found if item), key=lambda item: item.order, default=None)

    def _newest(
        self, moment: Any, version: Any, conditions: Sequence[ColumnElement[bool]], as_of: datetime | None
    ) -> Saying | None:
        query = (
            select(moment, FeatureVersionTable)
            .join(FeatureVersionTable, FeatureVersionTable.id == version)
            .where(*conditions, *([moment <= as_of] if as_of else []))
            .order_by(moment.desc(), FeatureVersionTable.sha256.desc())
            .limit(1)
        )
        row = self.session.execute(query).first()
        return Saying(row[0], row[1]) if row else None

    def newest_production(
        self, feature_id: int, feature_set_id: int, as_of: datetime | None
    ) -> tuple[RunTable, WriteTable] | None:
        """Give the run that wrote the feature last, and what it wrote into the set."""
        listed = self._newest_write(
            select(RunTable, WriteTable)
            .select_from(ProductionTable)
            .join(RunTable, RunTable.id == ProductionTable.run_id)
            .join(
                WriteTable,
                (WriteTable.run_id == ProductionTable.run_id) & (WriteTable.feature_set_id == feature_set_id),
            )
            .where(ProductionTable.feature_id == feature_id),
            ProductionTable.ended_at,
            as_of,
        )
        whole = self._newest_write(
            select(RunTable, WriteTable)
            .join(WriteTable, WriteTable.run_id == RunTable.id)
            .where(WriteTable.feature_set_id == feature_set_id, WriteTable.lists_features.is_(False)),
            WriteTable.ended_at,
            as_of,
        )
        return max(
            (item for item in (listed, whole) if item), key=lambda item: (item[1].ended_at, item[0].uuid), default=None
        )

    def _newest_write(
        self, query: Select[RunTable, WriteTable], moment: Any, as_of: datetime | None
    ) -> tuple[RunTable, WriteTable] | None:
        query = query.where(moment <= as_of) if as_of else query
        row = self.session.execute(query.order_by(moment.desc(), RunTable.uuid.desc()).limit(1)).first()
        return (row[0], row[1]) if row else None

    def first_said(self, feature_id: int) -> datetime | None:
        """Give when anything first spoke of a feature."""
        return self._earliest(DeclarationTable.feature_id == feature_id, ProductionTable.feature_id == feature_id)

    def version_since(self, version_id: int) -> datetime | None:
        """Give when a content was first said."""
        return self._earliest(DeclarationTable.version_id == version_id, ProductionTable.version_id == version_id)

    def _earliest(self, said: ColumnElement[bool], written: ColumnElement[bool]) -> datetime | None:
        found = [
            self.session.scalar(select(func.min(DeclarationTable.said_at)).where(said)),
            self.session.scalar(select(func.min(ProductionTable.ended_at)).where(written)),
        ]
        return min((moment for moment in found if moment), default=None)

    def last_life(self, feature_id: int, as_of: datetime | None) -> datetime | None:
        """Give the last time that a definition or a write spoke of the feature."""
        said, written = DeclarationTable.said_at, ProductionTable.ended_at
        found = [
            self.session.scalar(
                select(func.max(said)).where(
                    DeclarationTable.feature_id == feature_id, *([said <= as_of] if as_of else [])
                )
            ),
            self.session.scalar(
                select(func.max(written)).where(
                    ProductionTable.feature_id == feature_id, *([written <= as_of] if as_of else [])
                )
            ),
        ]
        return max((moment for moment in found if moment), default=None)

    def declared_versions(self, feature_id: int) -> Sequence[FeatureVersionTable]:
        """Give every declared content of a feature."""
        query = select(FeatureVersionTable).where(
            FeatureVersionTable.feature_id == feature_id, FeatureVersionTable.declared.is_(True)
        )
        return self.session.scalars(query).all()

    def dag_id_of(self, run: RunTable) -> str | None:
        """Give the id of the DAG that a run belongs to."""
        return self.session.scalar(select(DagTable.dag_id).where(DagTable.id == run.dag_pk)) if run.dag_pk else None


def _of(
    table: type[DeclarationTable] | type[ProductionTable], feature_id: int, declared: bool
) -> list[ColumnElement[bool]]:
    return [table.feature_id == feature_id, table.declared.is_(declared)]


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
