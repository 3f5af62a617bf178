"""The SQL of projects and of the OpenLineage namespaces that are theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from festaf.registry_api.access.tables import ProjectNamespaceTable, ProjectTable
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.upsert import insert_missing


class ProjectRepository:
    """Projects and namespaces."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, name: str) -> ProjectTable | None:
        """Find a project."""
        return self.session.get(ProjectTable, name)

    def existing(self, names: Collection[str]) -> set[str]:
        """Tell which of these projects there are."""
        return set(self.session.scalars(select(ProjectTable.name).where(ProjectTable.name.in_(sorted(names)))))

    def make_missing(self, names: Iterable[str], at: datetime, by: str) -> int:
        """Make the projects that are not there; give how many."""
        rows = [{"name": name, "description": None, "created_at": at, "created_by": by} for name in sorted(names)]
        return insert_missing(self.session, ProjectTable, rows, ["name"])

    def page(self, visible: Collection[str] | None, after: str | None, limit: int) -> Sequence[ProjectTable]:
        """List projects by name.

        :param visible: the only ones to be listed; None for all
        """
        query = select(ProjectTable).order_by(ProjectTable.name).limit(limit)
        if visible is not None:
            query = query.where(ProjectTable.name.in_(sorted(visible)))
        if after is not None:
            query = query.where(ProjectTable.name > after)
        return self.session.scalars(query).all()

    def namespace(self, namespace: str) -> ProjectNamespaceTable | None:
        """Find whose a namespace is."""
        return self.session.get(ProjectNamespaceTable, namespace)

    def namespace_of_run(self, run_id: UUID) -> str | None:
        """Find the namespace of a run that is known."""
        return self.session.scalars(select(RunTable.namespace).where(RunTable.uuid == run_id)).first()

    def keep_namespace(self, namespace: str, project: str) -> None:
        """Give a namespace to a project."""
        self.session.merge(ProjectNamespaceTable(namespace=namespace, project=project))
        self.session.flush()

    def forget_namespace(self, row: ProjectNamespaceTable) -> None:
        """Take a namespace from its project."""
        self.session.delete(row)
        self.session.flush()

    def namespaces(self) -> dict[str, str]:
        """Give the project of every namespace that has one."""
        rows = self.session.execute(select(ProjectNamespaceTable.namespace, ProjectNamespaceTable.project))
        return {namespace: project for namespace, project in rows}  # noqa: C416 - a row is no pair to a type checker

    def namespace_page(self, project: str | None, after: str | None, limit: int) -> Sequence[ProjectNamespaceTable]:
        """List namespaces by name."""
        query = select(ProjectNamespaceTable).order_by(ProjectNamespaceTable.namespace).limit(limit)
        if project is not None:
            query = query.where(ProjectNamespaceTable.project == project)
        if after is not None:
            query = query.where(ProjectNamespaceTable.namespace > after)
        return self.session.scalars(query).all()
