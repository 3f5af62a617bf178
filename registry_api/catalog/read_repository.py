"""The SQL by which jobs, datasets, namespaces and tags are read: each list with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, cast, get_args

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from festaf.contract.names import SCHEME, ArtifactKind
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.bulk import fetch
from festaf.registry_api.catalog.described import Column
from festaf.registry_api.catalog.saying import Kind, Subject
from festaf.registry_api.catalog.tables import (
    DatasetFacetTable,
    DatasetTable,
    JobFacetTable,
    JobTable,
    NamespaceNoteTable,
    NamespaceTable,
    RemovalTable,
    TaggingTable,
    TagTable,
)
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.graph.names import feature_set_name
from festaf.registry_api.table import natural_key

CHUNK = 400
SubjectTable = JobTable | DatasetTable
NamespaceRow = Row[str, datetime | None, datetime | None, datetime | None, str | None, str | None]
"""name, first seen, created at, updated at, owner, description"""
SourceRow = Row[str, str | None, datetime, datetime]
"""name, address, first seen, last seen"""


def subject_of(row: SubjectTable) -> Subject:
    """Name the job or dataset that a row is of."""
    return Subject("job" if isinstance(row, JobTable) else "dataset", row.namespace, row.name)


def namespaces_of(sight: Sight) -> frozenset[str] | None:
    """Give the namespaces that may be seen; None for all."""
    if sight.projects is None:
        return None
    schemes = (SCHEME, *(f"{SCHEME}-{kind}" for kind in get_args(ArtifactKind)))
    return sight.namespaces | {f"{scheme}://{project}" for project in sight.projects for scheme in schemes}


class CatalogReads:
    """Reads jobs and datasets that a caller may see."""

    def __init__(self, session: Session, sight: Sight) -> None:
        self.session = session
        self.namespaces = namespaces_of(sight)
        self.keys = None if self.namespaces is None else sorted(natural_key(name) for name in self.namespaces)

    def _visible(self, column: Any) -> list[ColumnElement[bool]]:
        return [] if self.keys is None else [column.in_(self.keys)]

    def list_namespaces(self, limit: int, offset: int) -> list[NamespaceRow]:
        """List namespaces by name: those that events named, and those that people made."""
        keys = (
            select(NamespaceTable.key)
            .where(*self._visible(NamespaceTable.key))
            .union(select(NamespaceNoteTable.key).where(*self._visible(NamespaceNoteTable.key)))
        )
        query = _noted(keys).order_by("name").limit(limit).offset(offset)
        return list(self.session.execute(query))

    def namespace(self, name: str) -> NamespaceRow | None:
        """Give one namespace."""
        if self.namespaces is not None and name not in self.namespaces:
            return None
        key = natural_key(name)
        keys = select(NamespaceTable.key).where(NamespaceTable.key == key)
        both = keys.union(select(NamespaceNoteTable.key).where(NamespaceNoteTable.key == key))
        return self.session.execute(_noted(both)).first()

    def subject(self, subject: Subject) -> SubjectTable | None:
        """Give a job or dataset; None if it is unknown, hidden or removed."""
        if self.namespaces is not None and subject.namespace not in self.namespaces:
            return None
        table = _table(subject.kind)
        query = _rows(table).where(table.key == subject.key, _stands(table))
        return self.session.scalars(query).first()

    def kept(self, datasets: Collection[Subject]) -> set[Subject]:
        """Give those of the datasets that have a row, or that somebody removed."""
        wanted = {subject.key: subject for subject in datasets}
        rows = [
            row
            for column in (DatasetTable.key, RemovalTable.subject_key)
            for row in fetch(self.session, select(column), column, wanted)
        ]
        return {wanted[row[0]] for row in rows}

    def subjects(self, subjects: Iterable[Subject]) -> dict[Subject, SubjectTable]:
        """Give those jobs and datasets that are known, may be seen and were not removed."""
        found: dict[Subject, SubjectTable] = {}
        wanted = {subject.key: subject for subject in subjects}
        for kind in get_args(Kind):
            keys = sorted(key for key, subject in wanted.items() if subject.kind == kind)
            table = _table(kind)
            for start in range(0, len(keys), CHUNK):
                part = keys[start : start + CHUNK]
                here = (table.key.in_(part), _stands(table), *self._visible(table.namespace_key))
                found |= {wanted[row.key]: row for row in self.session.scalars(_rows(table).where(*here))}
        return found

    def list_datasets(
        self, namespace: str, until: datetime | None, limit: int, offset: int
    ) -> tuple[Sequence[DatasetTable], int]:
        """Give a part of a namespace's datasets by name, and how many there are."""
        here = [DatasetTable.namespace_key == natural_key(namespace), *self._visible(DatasetTable.namespace_key)]
        if until:
            here.append(DatasetTable.first_seen <= until)
        page = select(DatasetTable).where(*here, _stands(DatasetTable)).order_by(DatasetTable.short, DatasetTable.name)
        query = select(func.count()).select_from(DatasetTable).where(*here)
        return self.session.scalars(page.limit(limit).offset(offset)).all(), self._count(query, DatasetTable)

    def list_jobs(
        self, namespace: str | None, states: Collection[str], until: datetime | None, limit: int, offset: int
    ) -> tuple[Sequence[JobTable], int]:
        """Give a part of the jobs, those that were spoken of last first, and how many there are.

        :param states: of the latest run, in the words of events; none for any
        """
        here = self._visible(JobTable.namespace_key)
        if namespace is not None:
            here.append(JobTable.namespace_key == natural_key(namespace))
        if until:
            here.append(JobTable.first_seen <= until)
        if states:
            in_state = select(RunTable.uuid).where(RunTable.uuid == JobTable.latest_run, RunTable.state.in_(states))
            here.append(in_state.correlate(JobTable).exists())
        page = select(JobTable).where(*here, _stands(JobTable)).order_by(JobTable.last_seen.desc(), JobTable.key)
        query = select(func.count()).select_from(JobTable).where(*here)
        return self.session.scalars(page.limit(limit).offset(offset)).all(), self._count(query, JobTable)

    def _count(self, query: Select[int], table: type[JobTable] | type[DatasetTable]) -> int:
        """Count all and take off those few that were removed, instead of looking up for each whether it was."""
        gone = query.join(RemovalTable, _removed(table))
        return (self.session.scalar(query) or 0) - (self.session.scalar(gone) or 0)

    def facets(self, kind: Kind, ids: Collection[int]) -> dict[int, dict[str, dict[str, Any]]]:
        """Give the facets that stand, by job or dataset."""
        table = JobFacetTable if kind == "job" else DatasetFacetTable
        found: dict[int, dict[str, dict[str, Any]]] = {subject_id: {} for subject_id in ids}
        ordered = sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            query = select(table.subject_id, table.name, table.body).where(
                table.subject_id.in_(ordered[start : start + CHUNK])
            )
            for subject_id, name, body in self.session.execute(query.order_by(table.name)):
                found[subject_id][name] = body
        return found

    def features(self, rows: Collection[DatasetTable]) -> dict[int, list[Column]]:
        """Give the features of those datasets that are feature sets, as columns."""
        named = {found: row.id for row in rows if (found := feature_set_name(row.namespace, row.name))}
        found_columns: dict[int, list[Column]] = {}
        ordered = sorted(named)
        for start in range(0, len(ordered), CHUNK):
            query = (
                select(
                    FeatureSetTable.project,
                    FeatureSetTable.name,
                    FeatureTable.name,
                    FeatureTable.type,
                    FeatureTable.description,
                )
                .join(FeatureTable, FeatureTable.feature_set_id == FeatureSetTable.id)
                .where(tuple_(FeatureSetTable.project, FeatureSetTable.name).in_(ordered[start : start + CHUNK]))
                .where(FeatureTable.first_seen.is_not(None), FeatureTable.deleted.is_(False))
                .order_by(FeatureTable.name)
            )
            for project, name, feature, kind, text in self.session.execute(query):
                found_columns.setdefault(named[project, name], []).append(Column(feature, kind, text))
        return found_columns

    def tags(self, keys: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """Give by key which field (empty for the whole) bears which tag."""
        found: dict[str, list[tuple[str, str]]] = {key: [] for key in keys}
        ordered = sorted(found)
        for start in range(0, len(ordered), CHUNK):
            query = (
                select(TaggingTable.subject_key, TaggingTable.field, TaggingTable.tag)
                .where(TaggingTable.subject_key.in_(ordered[start : start + CHUNK]))
                .distinct()
                .order_by(TaggingTable.field, TaggingTable.tag)
            )
            for key, column, tag in self.session.execute(query):
                found[key].append((column, tag))
        return found

    def list_tags(self, limit: int, offset: int) -> list[tuple[str, str | None]]:
        """List the tags that something visible bears or somebody made, with their descriptions."""
        borne = select(TaggingTable.tag.label("name"))
        if self.keys is not None:
            seen = [select(table.key).where(table.namespace_key.in_(self.keys)) for table in (JobTable, DatasetTable)]
            borne = borne.where(or_(*(TaggingTable.subject_key.in_(keys) for keys in seen)))
        names = borne.union(select(TagTable.name)).subquery()
        query = (
            select(names.c.name, TagTable.description)
            .outerjoin(TagTable, TagTable.name == names.c.name)
            .order_by(names.c.name)
            .limit(limit)
            .offset(offset)
        )
        return [(name, description) for name, description in self.session.execute(query)]

    def list_sources(self, name: str | None, limit: int, offset: int) -> list[SourceRow]:
        """List the sources of visible datasets: name, address, first and last seen."""
        here = self._visible(DatasetTable.namespace_key)
        if name is not None:
            here.append(DatasetTable.source_name == name)
        query = (
            select(
                DatasetTable.source_name,
                func.max(DatasetTable.source_uri),
                func.min(DatasetTable.first_seen),
                func.max(DatasetTable.last_seen),
            )
            .where(*here)
            .group_by(DatasetTable.source_name)
            .order_by(DatasetTable.source_name)
        )
        return list(self.session.execute(query.limit(limit).offset(offset)))


def _noted(
    keys: CompoundSelect[str],
) -> Select[str, datetime | None, datetime | None, datetime | None, str | None, str | None]:
    found = keys.subquery()
    return (
        select(
            func.coalesce(NamespaceTable.name, NamespaceNoteTable.name).label("name"),
            NamespaceTable.first_seen,
            NamespaceNoteTable.created_at,
            NamespaceNoteTable.updated_at,
            NamespaceNoteTable.owner,
            NamespaceNoteTable.description,
        )
        .select_from(found)
        .outerjoin(NamespaceTable, NamespaceTable.key == found.c.key)
        .outerjoin(NamespaceNoteTable, NamespaceNoteTable.key == found.c.key)
    )


def _table(kind: Kind) -> type[JobTable] | type[DatasetTable]:
    return JobTable if kind == "job" else DatasetTable


def _rows(table: type[SubjectTable]) -> Select[SubjectTable]:
    """Ask for jobs or datasets; the type checker cannot tell a table of two kinds from any table."""
    return cast("Select[SubjectTable]", select(table))


def _stands(table: type[JobTable] | type[DatasetTable]) -> ColumnElement[bool]:
    """Tell whether nobody removed it since it was last spoken of."""
    removal = select(RemovalTable.subject_key).where(_removed(table))
    return ~removal.correlate(table).exists()


def _removed(table: type[JobTable] | type[DatasetTable]) -> ColumnElement[bool]:
    return and_(RemovalTable.subject_key == table.key, RemovalTable.removed_at >= table.last_seen)
