"""The SQL of principals, teams and grants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from festaf.registry_api.access.roles import Granted, Role
from festaf.registry_api.access.tables import GrantTable, PrincipalTable, TeamMemberTable


class PrincipalRepository:
    """Users, services, teams, and what they were granted."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, kind: str, name: str) -> PrincipalTable | None:
        """Find a principal by kind and name."""
        query = select(PrincipalTable).where(PrincipalTable.kind == kind, PrincipalTable.name == name)
        return self.session.scalars(query).first()

    def get(self, principal_id: int) -> PrincipalTable | None:
        """Find a principal by its id."""
        return self.session.get(PrincipalTable, principal_id)

    def by_group(self, group: str) -> PrincipalTable | None:
        """Find the team of an identity provider's group."""
        return self.session.scalars(select(PrincipalTable).where(PrincipalTable.oidc_group == group)).first()

    def add(self, principal: PrincipalTable) -> PrincipalTable:
        """Store a principal."""
        self.session.add(principal)
        self.session.flush()
        return principal

    def page(self, kind: str | None, after: tuple[str, str] | None, limit: int) -> Sequence[PrincipalTable]:
        """List principals by kind and name."""
        query = select(PrincipalTable).order_by(PrincipalTable.kind, PrincipalTable.name).limit(limit)
        if kind is not None:
            query = query.where(PrincipalTable.kind == kind)
        if after is not None:
            query = query.where(tuple_(PrincipalTable.kind, PrincipalTable.name) > after)
        return self.session.scalars(query).all()

    def members(self, team_id: int) -> Sequence[PrincipalTable]:
        """List who is in a team."""
        query = (
            select(PrincipalTable)
            .join(TeamMemberTable, TeamMemberTable.member_id == PrincipalTable.id)
            .where(TeamMemberTable.team_id == team_id)
            .order_by(PrincipalTable.kind, PrincipalTable.name)
        )
        return self.session.scalars(query).all()

    def teams(self, member_id: int | None, groups: Collection[str]) -> Sequence[PrincipalTable]:
        """List the teams, disabled ones left out, of a principal and of an identity provider's groups."""
        member = aliased(TeamMemberTable)
        belongs: ColumnElement[bool] = PrincipalTable.oidc_group.in_(sorted(groups))
        if member_id is not None:
            joined = select(member.team_id).where(member.member_id == member_id)
            belongs = or_(belongs, PrincipalTable.id.in_(joined))
        query = select(PrincipalTable).where(
            PrincipalTable.kind == "team", PrincipalTable.disabled_at.is_(None), belongs
        )
        return self.session.scalars(query.order_by(PrincipalTable.name)).all()

    def join(self, team_id: int, member_id: int) -> bool:
        """Put a principal into a team; tell whether it was not in it yet."""
        if self.session.get(TeamMemberTable, (team_id, member_id)):
            return False
        self.session.add(TeamMemberTable(team_id=team_id, member_id=member_id))
        self.session.flush()
        return True

    def leave(self, team_id: int, member_id: int) -> bool:
        """Take a principal out of a team; tell whether it was in it."""
        row = self.session.get(TeamMemberTable, (team_id, member_id))
        if row is None:
            return False
        self.session.delete(row)
        self.session.flush()
        return True

    def grants_of(self, principal_ids: Collection[int]) -> list[Granted]:
        """Give what principals were granted."""
        query = select(GrantTable).where(GrantTable.principal_id.in_(sorted(principal_ids)))
        return [Granted(row.project, Role(row.role)) for row in self.session.scalars(query)]

    def grant(self, principal_id: int, project: str) -> GrantTable | None:
        """Find one grant."""
        return self.session.get(GrantTable, (principal_id, project))

    def keep_grant(self, principal_id: int, project: str, role: Role, at: datetime, by: str) -> None:
        """Store a grant instead of the one that the principal had in the project."""
        row = GrantTable(principal_id=principal_id, project=project, role=role.value, granted_at=at, granted_by=by)
        self.session.merge(row)
        self.session.flush()

    def revoke(self, principal_id: int, project: str) -> None:
        """Remove a grant."""
        gone = delete(GrantTable).where(GrantTable.principal_id == principal_id, GrantTable.project == project)
        self.session.execute(gone)

    def grants(
        self,
        project: str | None,
        principal: tuple[str, str] | None,
        after: tuple[str, str, str] | None,
        limit: int,
    ) -> Sequence[tuple[GrantTable, PrincipalTable]]:
        """List grants by project, kind and name."""
        order = (GrantTable.project, PrincipalTable.kind, PrincipalTable.name)
        query = (
            select(GrantTable, PrincipalTable)
            .join(PrincipalTable, PrincipalTable.id == GrantTable.principal_id)
            .order_by(*order)
            .limit(limit)
        )
        if project is not None:
            query = query.where(GrantTable.project == project)
        if principal is not None:
            query = query.where(PrincipalTable.kind == principal[0], PrincipalTable.name == principal[1])
        if after is not None:
            query = query.where(tuple_(*order) > after)
        return [(grant, found) for grant, found in self.session.execute(query)]
