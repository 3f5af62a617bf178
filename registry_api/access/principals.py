"""Make users, services and teams, put them into teams, and grant them roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.principal_repository import PrincipalRepository
from festaf.registry_api.access.project_repository import ProjectRepository
from festaf.registry_api.access.repository import changed
from festaf.registry_api.access.roles import ALL_PROJECTS, Role
from festaf.registry_api.access.tables import GrantTable, PrincipalTable
from festaf.registry_api.errors import BadRequestError, ConflictError, NotFoundError


class Kind(StrEnum):
    """What a principal is."""

    USER = "user"
    SERVICE = "service"
    TEAM = "team"


class PrincipalService:
    """Principals."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.principals = PrincipalRepository(session)
        self.projects = ProjectRepository(session)

    def put(self, kind: Kind, name: str, *, disabled: bool = False, oidc_group: str | None = None) -> PrincipalTable:
        """Make a principal, or change it.

        :raises BadRequestError: the name cannot be one, or a group is given to no team
        :raises ConflictError: another team has the group
        """
        if not 0 < len(name) <= 200 or not name.isprintable() or "/" in name or name != name.strip():
            raise BadRequestError("a principal's name has 1 to 200 printable characters, none of them '/'")
        if oidc_group is not None:
            holder = self.principals.by_group(oidc_group)
            if kind is not Kind.TEAM:
                raise BadRequestError("only a team has an OIDC group")
            if "\x00" in oidc_group:
                raise BadRequestError("an OIDC group's name cannot hold the character U+0000")
            if holder is not None and holder.name != name:
                raise ConflictError(f"the group {oidc_group!r} is that of the team {holder.name!r} already")
        found = self.principals.find(kind, name)
        before = None if found is None else _state(found)
        row = found or self.principals.add(PrincipalTable(kind=kind.value, name=name, created_at=self.now))
        row.oidc_group = oidc_group
        row.disabled_at = (row.disabled_at or self.now) if disabled else None
        self._changed("principal.put", f"{kind}/{name}", before, _state(row))
        return row

    def find(self, kind: Kind, name: str) -> PrincipalTable:
        """Find a principal.

        :raises NotFoundError: there is none
        """
        found = self.principals.find(kind, name)
        if found is None:
            raise absent(kind, name)
        return found

    def page(self, kind: Kind | None, after: tuple[str, str] | None, limit: int) -> Sequence[PrincipalTable]:
        """List principals by kind and name."""
        return self.principals.page(kind, after, limit)

    def members(self, team: str) -> Sequence[PrincipalTable]:
        """List who was put into a team; people who are in it by their group are not known here."""
        return self.principals.members(self.find(Kind.TEAM, team).id)

    def join(self, team: str, kind: Kind, name: str) -> None:
        """Put a user or service into a team.

        :raises BadRequestError: it is a team itself
        """
        if kind is Kind.TEAM:
            raise BadRequestError("a team is in no other team; put its members there")
        if self.principals.join(self.find(Kind.TEAM, team).id, self.find(kind, name).id):
            self._changed("team.join", f"team/{team}", None, f"{kind}/{name}")

    def leave(self, team: str, kind: Kind, name: str) -> None:
        """Take a user or service out of a team."""
        if self.principals.leave(self.find(Kind.TEAM, team).id, self.find(kind, name).id):
            self._changed("team.leave", f"team/{team}", f"{kind}/{name}", None)

    def grant(self, project: str, kind: Kind, name: str, role: Role, by: str) -> GrantTable:
        """Give a principal a role in a project instead of the one that it has there.

        :raises NotFoundError: there is no such project or principal
        """
        if project != ALL_PROJECTS and self.projects.find(project) is None:
            raise NotFoundError(f"there is no project {project!r}")
        principal = self.find(kind, name)
        old = self.principals.grant(principal.id, project)
        before = None if old is None else old.role
        self.principals.keep_grant(principal.id, project, role, self.now, by)
        self._changed("grant.put", f"{project}: {kind}/{name}", before, role.value)
        found = self.principals.grant(principal.id, project)
        assert found is not None
        return found

    def revoke(self, project: str, kind: Kind, name: str) -> None:
        """Take a principal's role in a project away.

        :raises NotFoundError: there is no such principal, or it has no role there
        """
        principal = self.find(kind, name)
        old = self.principals.grant(principal.id, project)
        if old is None:
            raise NotFoundError(f"{kind} {name!r} has no role in {project!r}")
        before = old.role
        self.principals.revoke(principal.id, project)
        self._changed("grant.delete", f"{project}: {kind}/{name}", before, None)

    def grants(
        self,
        project: str | None,
        principal: tuple[str, str] | None,
        after: tuple[str, str, str] | None,
        limit: int,
    ) -> Sequence[tuple[GrantTable, PrincipalTable]]:
        """List grants by project, kind and name."""
        return self.principals.grants(project, principal, after, limit)

    def _changed(self, action: str, entity: str, before: str | None, after: str | None) -> None:
        note(self.session, action, entity, before=before, after=after)
        changed(self.session)


def _state(principal: PrincipalTable) -> str:
    state = "disabled" if principal.disabled_at else "enabled"
    return f"{state}, group {principal.oidc_group}" if principal.oidc_group else state


def absent(kind: str, name: str) -> NotFoundError:
    """Say that there is no such principal, and how one is made."""
    return NotFoundError(f"no {kind} is named {name!r}; make it with: festaf registry principal create {kind}/{name}")
