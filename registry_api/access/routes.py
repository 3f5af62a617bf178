"""``/me``, ``/projects``, ``/project-namespaces`` and ``/audit``; the routers of the other nouns of access."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from festaf.contract.access import (
    AuditEntry,
    Me,
    NamespaceRequest,
    Project,
    ProjectNamespace,
    ProjectRequest,
)
from festaf.contract.http import Page
from festaf.contract.model import Moment
from festaf.registry_api.access import principal_routes, token_routes
from festaf.registry_api.access.audit_repository import AuditFilter, audit_page
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.access.tables import ProjectTable
from festaf.registry_api.edge import Admin, Cursor, Known, Limit, Now, ProjectAdmin, Reader, Reading, Writing
from festaf.registry_api.errors import BadRequestError, NotFoundError
from festaf.registry_api.page import decode_cursor, encode_cursor

router = APIRouter(tags=["access"])
ROUTERS = (router, principal_routes.router, token_routes.router)
ProjectName = Annotated[str, Path(max_length=64)]
Namespace = Annotated[str, Query(min_length=1, max_length=500, description="An OpenLineage namespace")]
Text = Annotated[str | None, Query(max_length=500)]
Since = Annotated[Moment | None, Query()]
GREATEST_ID = 2**63 - 1


@router.get("/me", summary="Tell who asks")
def get_me(caller: Known) -> Me:
    """Tell who the token's holder is and where they may read, write and administer."""
    return Me(
        name=caller.name,
        kind=caller.kind,
        token=caller.token,
        teams=tuple(sorted(caller.teams)),
        scopes=tuple(sorted(caller.scopes)),
        reads=_projects(caller.sight),
        writes=_projects(caller.writes),
        administers=_projects(caller.administers),
    )


@router.get("/projects", summary="List projects")
def list_projects(
    caller: Reader, session: Reading, now: Now, limit: Limit = 100, cursor: Cursor = None
) -> Page[Project]:
    """List the projects that the caller may read."""
    after = decode_cursor(cursor, 1)[0] if cursor else None
    rows = ProjectService(session, now).page(caller.sight, after, limit + 1)
    more = encode_cursor(rows[limit - 1].name) if len(rows) > limit else None
    return Page(items=tuple(_project(row) for row in rows[:limit]), cursor=more)


@router.get("/projects/{project}", summary="Describe a project")
def get_project(project: ProjectName, caller: Reader, session: Reading, now: Now) -> Project:
    """Describe a project that the caller may read."""
    if not caller.sight.sees(project):
        raise NotFoundError(f"there is no project {project!r}")
    return _project(ProjectService(session, now).find(project))


@router.put("/projects/{project}", summary="Make or describe a project")
def put_project(
    project: ProjectName, body: ProjectRequest, caller: ProjectAdmin, session: Writing, now: Now
) -> Project:
    """Make a project, which those may who administer the registry, or describe one that the caller administers."""
    service = ProjectService(session, now)
    if not caller.administers.everything:
        service.find(project)
    return _project(service.put(project, body.description, caller.name))


@router.get("/project-namespaces", summary="List namespaces of projects")
def list_namespaces(
    _: Admin, session: Reading, now: Now, project: Text = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[ProjectNamespace]:
    """List the OpenLineage namespaces that belong to a project."""
    after = decode_cursor(cursor, 1)[0] if cursor else None
    rows = ProjectService(session, now).namespaces(project, after, limit + 1)
    more = encode_cursor(rows[limit - 1].namespace) if len(rows) > limit else None
    items = tuple(ProjectNamespace(namespace=row.namespace, project=row.project) for row in rows[:limit])
    return Page(items=items, cursor=more)


@router.put("/project-namespaces", status_code=204, response_class=Response, summary="Give a namespace to a project")
def put_namespace(namespace: Namespace, body: NamespaceRequest, _: Admin, session: Writing, now: Now) -> None:
    """Say that jobs and datasets of a namespace belong to a project."""
    ProjectService(session, now).give_namespace(namespace, body.project)


@router.delete("/project-namespaces", status_code=204, response_class=Response, summary="Take a namespace away")
def delete_namespace(namespace: Namespace, _: Admin, session: Writing, now: Now) -> None:
    """Let a namespace belong to no project, so that only those see it who see everything."""
    ProjectService(session, now).take_namespace(namespace)


@router.get("/audit", summary="List every write")
def list_audit(
    _: Admin,
    session: Reading,
    actor: Text = None,
    action: Text = None,
    entity: Text = None,
    since: Since = None,
    until: Since = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AuditEntry]:
    """List who wrote what and when, the newest first."""
    rows = audit_page(session, AuditFilter(actor, action, entity, since, until), _audit_id(cursor), limit + 1)
    more = encode_cursor(str(rows[limit - 1].id)) if len(rows) > limit else None
    items = tuple(
        AuditEntry(
            id=row.id,
            at=row.at,
            actor=row.actor,
            actor_kind=row.actor_kind,
            token=row.token,
            action=row.action,
            entity=row.entity,
            before=row.before,
            after=row.after,
            counts=row.counts,
        )
        for row in rows[:limit]
    )
    return Page(items=items, cursor=more)


def _audit_id(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    text = decode_cursor(cursor, 1)[0]
    if not (text.isascii() and text.isdigit() and int(text) <= GREATEST_ID):
        raise BadRequestError("the cursor is not one that this list gave out")
    return int(text)


def _projects(sight: Sight) -> tuple[str, ...] | None:
    return None if sight.projects is None else tuple(sorted(sight.projects))


def _project(row: ProjectTable) -> Project:
    return Project(name=row.name, description=row.description, created_at=row.created_at, created_by=row.created_by)
