"""``festaf registry project|principal|team|grant|namespace|audit``: who may do what, for whoever has the database.

The same is done over HTTP by those who administer the registry; here one needs the database's URL instead of a token.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from festaf.registry_api.access.audit_repository import AuditFilter, audit_page, operator
from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.roles import Role
from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.access.tables import PrincipalTable
from festaf.registry_api.terminal import AsJson, DatabaseUrl, fail, say, show, working

projects = typer.Typer(help="Projects: the unit of access.", no_args_is_help=True)
principals = typer.Typer(help="Users, services and teams.", no_args_is_help=True)
teams = typer.Typer(help="Who is in a team.", no_args_is_help=True)
grants = typer.Typer(help="Who may read, write or administer a project.", no_args_is_help=True)
namespaces = typer.Typer(help="Which OpenLineage namespaces are a project's.", no_args_is_help=True)
audit = typer.Typer(help="Who wrote what, and when.", no_args_is_help=True)
COMMANDS = {
    "project": projects,
    "principal": principals,
    "team": teams,
    "grant": grants,
    "namespace": namespaces,
    "audit": audit,
}
MOST = 10_000
"""How many rows a list shows at most."""
Who = Annotated[str, typer.Argument(help="user/NAME, service/NAME or team/NAME.")]
Project = Annotated[str, typer.Argument(help="A project.")]
Group = Annotated[str | None, typer.Option(help="The identity provider's group whose people are in the team.")]


@projects.command("create")
def create_project(
    name: Project,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a project, or describe it anew."""
    with working(database_url) as (session, now):
        ProjectService(session, now).put(name, description, operator().name)
    say({"name": name, "description": description}, f"The project {name!r} stands.", as_json=as_json)


@projects.command("list")
def list_projects(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the projects."""
    with working(database_url) as (session, now):
        rows = ProjectService(session, now).page(EVERYTHING, None, MOST)
        found = [{"name": row.name, "description": row.description, "created_by": row.created_by} for row in rows]
    show(found, as_json=as_json, columns=("name", "description"), nothing="There are no projects.")


@principals.command("create")
def create_principal(who: Who, group: Group = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Make a user, service or team; one that was disabled is let in again."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        found = _principal(PrincipalService(session, now).put(kind, name, oidc_group=group))
    say(found, f"The {kind} {name!r} stands.", as_json=as_json)


@principals.command("disable")
def disable_principal(who: Who, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Let a user, service or team in no more, and none of its tokens."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        service = PrincipalService(session, now)
        group = service.find(kind, name).oidc_group
        found = _principal(service.put(kind, name, disabled=True, oidc_group=group))
    say(found, f"The {kind} {name!r} is disabled.", as_json=as_json)


@principals.command("list")
def list_principals(
    kind: Annotated[Kind | None, typer.Option(help="Only these.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List users, services and teams."""
    with working(database_url) as (session, now):
        found = [_principal(row) for row in PrincipalService(session, now).page(kind, None, MOST)]
    show(found, as_json=as_json, columns=("who", "oidc_group", "state"), nothing="There are no principals.")


@teams.command("add")
def add_member(team: str, who: Who, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Put a user or service into a team."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        PrincipalService(session, now).join(team, kind, name)
    say({"team": team, "who": who}, f"{who} is in the team {team!r}.", as_json=as_json)


@teams.command("remove")
def remove_member(team: str, who: Who, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Take a user or service out of a team."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        PrincipalService(session, now).leave(team, kind, name)
    say({"team": team, "who": who}, f"{who} is not in the team {team!r}.", as_json=as_json)


@teams.command("members")
def list_members(team: str, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List who was put into a team."""
    with working(database_url) as (session, now):
        found = [_principal(row) for row in PrincipalService(session, now).members(team)]
    show(found, as_json=as_json, columns=("who", "state"), nothing=f"Nobody was put into the team {team!r}.")


@grants.command("give")
def give_grant(
    project: Annotated[str, typer.Argument(help="A project, or '*' for all of them.")],
    who: Who,
    role: Role,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give a role in a project instead of the one that was given before."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        PrincipalService(session, now).grant(project, kind, name, role, operator().name)
    said = {"project": project, "who": who, "role": role.value}
    say(said, f"{who} may {role.value} in {project!r}.", as_json=as_json)


@grants.command("take")
def take_grant(project: Project, who: Who, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Take a role in a project away."""
    kind, name = read_principal(who)
    with working(database_url) as (session, now):
        PrincipalService(session, now).revoke(project, kind, name)
    say({"project": project, "who": who}, f"{who} has no role of its own in {project!r}.", as_json=as_json)


@grants.command("list")
def list_grants(
    project: Annotated[str | None, typer.Option(help="Only in this project.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who has which role where."""
    with working(database_url) as (session, now):
        rows = PrincipalService(session, now).grants(project, None, None, MOST)
        found = [
            {"project": row.project, "who": f"{principal.kind}/{principal.name}", "role": row.role}
            for row, principal in rows
        ]
    show(found, as_json=as_json, columns=("project", "who", "role"), nothing="Nothing was granted.")


@namespaces.command("give")
def give_namespace(namespace: str, project: Project, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Say that jobs and datasets of an OpenLineage namespace are a project's."""
    with working(database_url) as (session, now):
        ProjectService(session, now).give_namespace(namespace, project)
    said = {"namespace": namespace, "project": project}
    say(said, f"The namespace {namespace!r} is that of the project {project!r}.", as_json=as_json)


@namespaces.command("take")
def take_namespace(namespace: str, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Let a namespace be nobody's."""
    with working(database_url) as (session, now):
        ProjectService(session, now).take_namespace(namespace)
    say({"namespace": namespace}, f"The namespace {namespace!r} is no project's.", as_json=as_json)


@namespaces.command("list")
def list_namespaces(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the namespaces that are a project's."""
    with working(database_url) as (session, now):
        rows = ProjectService(session, now).namespaces(None, None, MOST)
        found = [{"namespace": row.namespace, "project": row.project} for row in rows]
    show(found, as_json=as_json, columns=("namespace", "project"), nothing="No namespace is a project's.")


@audit.command("list")
def list_audit(
    actor: Annotated[str | None, typer.Option(help="Only what this one wrote.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this, such as 'grant.put'.")] = None,
    entity: Annotated[str | None, typer.Option(help="Only what was done to this.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this time on, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")] = 100,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who wrote what, the newest first."""
    asked = AuditFilter(actor, action, entity, since.replace(tzinfo=UTC) if since else None)
    with working(database_url) as (session, _):
        columns = ("at", "actor", "actor_kind", "token", "action", "entity", "before", "after", "counts")
        rows = audit_page(session, asked, None, limit)
        found = [{name: getattr(row, name) for name in columns} | {"at": row.at.isoformat()} for row in rows]
    show(found, as_json=as_json, columns=("at", "actor", "action", "entity", "after"), nothing="Nothing was written.")


def read_principal(text: str) -> tuple[Kind, str]:
    """Read ``service/airflow`` and the like."""
    kind, slash, name = text.partition("/")
    if not slash or kind not in set(Kind):
        fail(f"write user/NAME, service/NAME or team/NAME, not {text!r}")
    return Kind(kind), name


def _principal(row: PrincipalTable) -> dict[str, Any]:
    return {
        "who": f"{row.kind}/{row.name}",
        "kind": row.kind,
        "name": row.name,
        "oidc_group": row.oidc_group,
        "state": "disabled" if row.disabled_at else "enabled",
    }
