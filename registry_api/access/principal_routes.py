"""``/principals``, ``/teams`` and ``/grants``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from festaf.contract.access import Grant, GrantRequest, Principal, PrincipalRequest
from festaf.contract.http import Page
from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.roles import ALL_PROJECTS, Role
from festaf.registry_api.access.tables import GrantTable, PrincipalTable
from festaf.registry_api.edge import Admin, Cursor, Known, Limit, Now, ProjectAdmin, Reading, Writing
from festaf.registry_api.page import decode_cursor, encode_cursor

router = APIRouter(tags=["access"])
Name = Annotated[str, Path(max_length=200)]
ProjectName = Annotated[str, Path(max_length=64, description="A project, or * for all of them")]


@router.get("/principals", summary="List principals")
def list_principals(
    _: Admin, session: Reading, now: Now, kind: Kind | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[Principal]:
    """List users, services and teams."""
    after = decode_cursor(cursor, 2) if cursor else None
    rows = PrincipalService(session, now).page(kind, (after[0], after[1]) if after else None, limit + 1)
    more = encode_cursor(rows[limit - 1].kind, rows[limit - 1].name) if len(rows) > limit else None
    return Page(items=tuple(_principal(row) for row in rows[:limit]), cursor=more)


@router.get("/principals/{kind}/{name}", summary="Describe a principal")
def get_principal(kind: Kind, name: Name, _: Admin, session: Reading, now: Now) -> Principal:
    """Describe a user, service or team."""
    return _principal(PrincipalService(session, now).find(kind, name))


@router.put("/principals/{kind}/{name}", summary="Make or change a principal")
def put_principal(kind: Kind, name: Name, body: PrincipalRequest, _: Admin, session: Writing, now: Now) -> Principal:
    """Make a user, service or team; disable it, and its tokens open nothing any more."""
    service = PrincipalService(session, now)
    return _principal(service.put(kind, name, disabled=body.disabled, oidc_group=body.oidc_group))


@router.get("/teams/{team}/members", summary="List who is in a team")
def list_members(team: Name, _: Admin, session: Reading, now: Now) -> Page[Principal]:
    """List who was put into a team; who is in it by a group of the identity provider is not known here."""
    return Page(items=tuple(_principal(row) for row in PrincipalService(session, now).members(team)))


@router.put("/teams/{team}/members/{kind}/{name}", status_code=204, response_class=Response, summary="Join a team")
def put_member(team: Name, kind: Kind, name: Name, _: Admin, session: Writing, now: Now) -> None:
    """Put a user or service into a team."""
    PrincipalService(session, now).join(team, kind, name)


@router.delete("/teams/{team}/members/{kind}/{name}", status_code=204, response_class=Response, summary="Leave a team")
def delete_member(team: Name, kind: Kind, name: Name, _: Admin, session: Writing, now: Now) -> None:
    """Take a user or service out of a team."""
    PrincipalService(session, now).leave(team, kind, name)


@router.get("/grants", summary="List grants")
def list_grants(
    caller: Known,
    session: Reading,
    now: Now,
    project: Annotated[str | None, Query(max_length=64)] = None,
    kind: Kind | None = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Grant]:
    """List roles: of a project to those who administer it, of all to those who administer the registry."""
    if project is None or project == ALL_PROJECTS:
        caller.require_admin()
    else:
        caller.require_project_admin(project)
    after = decode_cursor(cursor, 3) if cursor else None
    whose = (kind.value, name) if kind and name else None
    rows = PrincipalService(session, now).grants(
        project, whose, (after[0], after[1], after[2]) if after else None, limit + 1
    )
    items = tuple(_grant(row, principal) for row, principal in rows[:limit])
    last = items[-1] if len(rows) > limit else None
    return Page(items=items, cursor=encode_cursor(last.project, last.kind, last.name) if last else None)


@router.put("/grants/{project}/{kind}/{name}", summary="Give a role")
def put_grant(
    project: ProjectName, kind: Kind, name: Name, body: GrantRequest, caller: ProjectAdmin, session: Writing, now: Now
) -> Grant:
    """Give a principal a role in a project instead of the one it has there."""
    service = PrincipalService(session, now)
    row = service.grant(project, kind, name, Role(body.role), caller.name)
    return _grant(row, service.find(kind, name))


@router.delete("/grants/{project}/{kind}/{name}", status_code=204, response_class=Response, summary="Take a role away")
def delete_grant(project: ProjectName, kind: Kind, name: Name, _: ProjectAdmin, session: Writing, now: Now) -> None:
    """Take a principal's role in a project away."""
    PrincipalService(session, now).revoke(project, kind, name)


def _principal(row: PrincipalTable) -> Principal:
    return Principal(
        kind=Kind(row.kind).value,
        name=row.name,
        oidc_group=row.oidc_group,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _grant(row: GrantTable, principal: PrincipalTable) -> Grant:
    return Grant(
        project=row.project,
        kind=Kind(principal.kind).value,
        name=principal.name,
        role=Role(row.role).value,
        granted_at=row.granted_at,
        granted_by=row.granted_by,
    )
