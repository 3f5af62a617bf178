"""Who may do what: projects, principals, grants, tokens, and the log of every write."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from festaf.contract.model import Model, Moment

PrincipalKind = Literal["user", "service", "team"]
Role = Literal["read", "write", "admin"]
Scope = Literal["registry:read", "lineage:write", "admin"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ProjectName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Me(Model):
    """Who asks, and what they may do. ``None`` instead of a list of projects means all of them."""

    name: str
    kind: Literal["user", "service", "token", "demo"]
    token: str | None = None
    teams: tuple[str, ...]
    scopes: tuple[str, ...]
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    administers: tuple[str, ...] | None


class ProjectRequest(Model):
    """What is said of a project."""

    description: Annotated[str, StringConstraints(max_length=2000)] | None = None


class Project(Model):
    """A project: the unit of access."""

    name: str
    description: str | None = None
    created_at: Moment
    created_by: str | None = None


class PrincipalRequest(Model):
    """What is said of a principal."""

    disabled: StrictBool = False
    oidc_group: Name | None = None
    """Of a team, the identity provider's group whose people are in it."""


class Principal(Model):
    """A user, a service or a team."""

    kind: PrincipalKind
    name: str
    oidc_group: str | None = None
    created_at: Moment
    disabled_at: Moment | None = None


class GrantRequest(Model):
    """The role that is given."""

    role: Role


class Grant(Model):
    """The role of a principal in a project; ``*`` is every project."""

    project: str
    kind: PrincipalKind
    name: str
    role: Role
    granted_at: Moment
    granted_by: str | None = None


class NamespaceRequest(Model):
    """Whose an OpenLineage namespace is."""

    project: ProjectName


class ProjectNamespace(Model):
    """The project that an OpenLineage namespace belongs to."""

    namespace: str
    project: str


class TokenRequest(Model):
    """The token that is asked for; it never opens more than its owner's grants allow."""

    name: Name
    owner_kind: Literal["user", "service"]
    owner: Name
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=3)] = ("registry:read",)
    projects: Annotated[tuple[ProjectName, ...], Field(max_length=1000)] | None = None
    """The only projects that it opens; None for all that its owner may enter."""
    days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None
    """Until it expires; None for never."""


class Token(Model):
    """What is known of a token; its text is not."""

    name: str
    owner_kind: Literal["user", "service"] | None = None
    owner: str | None = None
    scopes: tuple[str, ...]
    projects: tuple[str, ...] | None = None
    created_at: Moment
    expires_at: Moment | None = None
    revoked_at: Moment | None = None
    last_used_at: Moment | None = None


class NewToken(Token):
    """A token that was just made, with its text, which is shown only now."""

    token: str


class AuditEntry(Model):
    """One write."""

    id: int
    at: Moment
    actor: str
    actor_kind: str
    token: str | None = None
    action: str
    entity: str
    before: str | None = None
    after: str | None = None
    counts: dict[str, int] | None = None
