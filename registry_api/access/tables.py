"""Projects, principals and what they may do there, tokens by their hash only, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table


class AccessStateTable(Table):
    """One row; its number grows with every change of access, so that what was read before it is read anew."""

    __tablename__ = "access_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Key)


class ProjectTable(Table):
    """A project: the unit of access."""

    __tablename__ = "project"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(String(200))


class PrincipalTable(Table):
    """A user, a service or a team."""

    __tablename__ = "principal"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    """``user``, ``service`` or ``team``."""
    name: Mapped[str] = mapped_column(String(200))
    """Of a user, what the identity provider calls them."""
    oidc_group: Mapped[str | None] = mapped_column(String(200), unique=True)
    """Of a team, the identity provider's group whose people are in it."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class TeamMemberTable(Table):
    """A user or service in a team."""

    __tablename__ = "team_member"
    __table_args__ = (Index(None, "member_id"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)


class GrantTable(Table):
    """The role of a principal in a project, or in all of them."""

    __tablename__ = "role_grant"
    __table_args__ = (Index(None, "project"),)

    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    project: Mapped[str] = mapped_column(String(64), primary_key=True)
    """``*`` for all projects."""
    role: Mapped[str] = mapped_column(String(8))
    granted_at: Mapped[datetime]
    granted_by: Mapped[str | None] = mapped_column(String(200))


class ProjectNamespaceTable(Table):
    """The project that an OpenLineage namespace belongs to."""

    __tablename__ = "project_namespace"
    __table_args__ = (Index(None, "project"),)

    namespace: Mapped[str] = mapped_column(String(500), primary_key=True)
    project: Mapped[str] = mapped_column(ForeignKey("project.name"))


class TokenTable(Table):
    """A bearer token; its text is never stored."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    principal_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """Whose it is; None for one that an operator made on the command line for nobody: it means all projects."""
    projects: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """The only projects that it opens; None for all that its principal may enter."""


class AuditTable(Table):
    """One write: who, when, what. Triggers of the database refuse to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "actor", "id"), Index(None, "action", "id"), Index(None, "entity", "id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    actor_kind: Mapped[str] = mapped_column(String(8))
    """``user``, ``service``, ``token``, ``demo`` or ``operator`` (the command line)."""
    token: Mapped[str | None] = mapped_column(String(200))
    """The name of the token, never its text."""
    action: Mapped[str] = mapped_column(String(100))
    entity: Mapped[str] = mapped_column(String(500))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
