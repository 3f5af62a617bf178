"""``/dag-namespaces``: the rules of a namespace, and the keys that may sign for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from festaf.contract.dag_package import NamespaceSettings, PublisherKey
from festaf.contract.dag_package_steps import KeyRequest, PublisherKeys
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.dag_packages.edge import TAGS, Project
from festaf.registry_api.dag_packages.finding import who
from festaf.registry_api.dag_packages.namespaces import NamespaceService
from festaf.registry_api.edge import Now, ProjectAdmin, Reader, Reading, Writing
from festaf.registry_api.errors import NotFoundError

router = APIRouter(prefix="/dag-namespaces/{project}", tags=TAGS)
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="First 32 hex digits of the key's SHA-256")]


def _namespace(project: Project, caller: Reader, session: Reading, now: Now) -> NamespaceService:
    """Find the namespace of one who sees it."""
    if not caller.sight.sees(project):
        raise NotFoundError(f"there is no project {project!r}")
    ProjectService(session, now).find(project)
    return NamespaceService(session)


def _administered(project: Project, caller: ProjectAdmin, session: Writing, now: Now) -> NamespaceService:
    """Find the namespace of one who administers it; who administers the registry makes it."""
    projects = ProjectService(session, now)
    if caller.administers.everything:
        projects.ensure([project], caller.name)
    projects.find(project)
    return NamespaceService(session)


Seen = Annotated[NamespaceService, Depends(_namespace, scope="function")]
Administered = Annotated[NamespaceService, Depends(_administered, scope="function")]


@router.get("", summary="Give the rules of a namespace")
def get_settings(project: Project, namespaces: Seen) -> NamespaceSettings:
    """Give how many must approve, how long a version cools, whether it must be signed, and how much there may be."""
    return namespaces.settings(project)


@router.put("", summary="Set the rules of a namespace")
def put_settings(project: Project, settings: NamespaceSettings, namespaces: Administered) -> NamespaceSettings:
    """Set all rules at once; they hold for every version from now on."""
    return namespaces.put_settings(project, settings)


@router.get("/keys", summary="List the keys of a namespace")
def get_keys(project: Project, namespaces: Seen) -> PublisherKeys:
    """List the keys that may sign, and those that were revoked."""
    return PublisherKeys(items=namespaces.keys(project))


@router.put("/keys/{key_id}", summary="Let a key sign")
def put_key(
    project: Project, key_id: KeyId, said: KeyRequest, namespaces: Administered, caller: ProjectAdmin, now: Now
) -> PublisherKey:
    """Let a key sign for the namespace; a revoked one never again."""
    return namespaces.put_key(project, key_id, said, who(caller), now)


@router.delete("/keys/{key_id}", summary="Revoke a key")
def delete_key(project: Project, key_id: KeyId, namespaces: Administered, now: Now) -> PublisherKey:
    """Let a key sign no more, and what it signed count no more."""
    return namespaces.revoke_key(project, key_id, now)
