"""Make projects, and say which OpenLineage namespaces are theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.names import PROJECT_PATTERN, SCHEME
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.project_repository import ProjectRepository
from festaf.registry_api.access.repository import changed
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.access.tables import ProjectNamespaceTable, ProjectTable
from festaf.registry_api.errors import BadRequestError, NotFoundError
from festaf.registry_api.secrets.masking import mask


class ProjectService:
    """Projects."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.projects = ProjectRepository(session)

    def put(self, name: str, description: str | None, by: str) -> ProjectTable:
        """Make a project, or describe it anew.

        :raises BadRequestError: the name cannot be one
        """
        if not PROJECT_PATTERN.fullmatch(name):
            raise BadRequestError("a project has 1 to 64 letters, digits, '.', '-' and '_', no sign at either end")
        before = self.projects.find(name)
        old = None if before is None else before.description
        self.projects.make_missing([name], self.now, by)
        row = self.find(name)
        row.description = mask(description)
        note(self.session, "project.put", name, before=old, after=description)
        return row

    def ensure(self, names: Collection[str], by: str) -> None:
        """Make the projects that are not there, since one who may write everywhere writes there for the first time."""
        missing = set(names) - self.projects.existing(names) if names else set()
        if missing and self.projects.make_missing(missing, self.now, by):
            for name in sorted(missing):
                note(self.session, "project.put", name, after="made by its first write")

    def find(self, name: str) -> ProjectTable:
        """Find a project.

        :raises NotFoundError: there is none
        """
        found = self.projects.find(name)
        if found is None:
            raise NotFoundError(f"there is no project {name!r}")
        return found

    def page(self, sight: Sight, after: str | None, limit: int) -> Sequence[ProjectTable]:
        """List the projects that one sees by name."""
        return self.projects.page(sight.projects, after, limit)

    def give_namespace(self, namespace: str, project: str) -> None:
        """Say that jobs and datasets of a namespace are a project's.

        :raises NotFoundError: there is no such project
        :raises BadRequestError: the namespace is one of our own artifacts, which are their project's anyway
        """
        if namespace.startswith(SCHEME):
            raise BadRequestError(f"a namespace that begins with {SCHEME} is that of the project it names")
        self.find(project)
        row = self.projects.namespace(namespace)
        before = None if row is None else row.project
        self.projects.keep_namespace(namespace, project)
        note(self.session, "namespace.put", namespace, before=before, after=project)
        changed(self.session)

    def take_namespace(self, namespace: str) -> None:
        """Let a namespace be nobody's.

        :raises NotFoundError: it is nobody's already
        """
        row = self.projects.namespace(namespace)
        if row is None:
            raise NotFoundError(f"the namespace {namespace!r} is no project's")
        note(self.session, "namespace.delete", namespace, before=row.project)
        self.projects.forget_namespace(row)
        changed(self.session)

    def namespaces(self, project: str | None, after: str | None, limit: int) -> Sequence[ProjectNamespaceTable]:
        """List namespaces that are a project's."""
        return self.projects.namespace_page(project, after, limit)
