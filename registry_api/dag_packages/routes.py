"""``/dag-packages``: what there is, what changed, and a version's life; the routers of the other nouns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from festaf.contract.dag_package import Package, PackageChanges, PackageSummary, PackageVersion
from festaf.contract.http import Page
from festaf.registry_api.dag_packages import (
    archive_routes,
    content_routes,
    mirror_routes,
    namespace_routes,
    step_routes,
)
from festaf.registry_api.dag_packages.change_repository import ChangeRepository
from festaf.registry_api.dag_packages.edge import TAGS, Name, Project, Version
from festaf.registry_api.dag_packages.listing import PackageFilter, PackageListing
from festaf.registry_api.dag_packages.service import PackageService
from festaf.registry_api.edge import Now, Reader, Reading, answered

router = APIRouter(prefix="/dag-packages", tags=TAGS)
NOUNS = (archive_routes, content_routes, mirror_routes, step_routes, namespace_routes)
ROUTERS = (router, *(noun.router for noun in NOUNS))
Since = Annotated[int, Query(ge=0, le=2**62, description="The number of the last change that is known")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=500)]


@router.get("", response_model=Page[PackageSummary], summary="Find packages")
def get_packages(caller: Reader, session: Reading, asked: Annotated[PackageFilter, Query()]) -> Response:
    """Find packages by words and by facts of their newest published version, by namespace and name."""
    return answered(session, PackageListing(session, caller.sight).page(asked))


@router.get(
    "/changes",
    response_model=PackageChanges,
    summary="Tell what changed since a number",
    responses={304: {"description": "Nothing happened since the answer of this ETag"}},
)
def get_changes(
    caller: Reader, session: Reading, now: Now, since: Since = 0, if_none_match: IfNoneMatch = None
) -> Response:
    """Give changes of published versions in their order; one conditional request tells that there are none."""
    newest = ChangeRepository(session).newest(caller.sight)
    headers = {"ETag": f'"{newest}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and f'"{newest}"' in {tag.strip() for tag in if_none_match.split(",")}:
        session.close()
        return Response(status_code=304, headers=headers)
    response = answered(session, PackageService(session, caller.sight, now).changes(since))
    response.headers.update(headers)
    return response


@router.get("/{project}/{name}", summary="Describe a package")
def get_package(project: Project, name: Name, caller: Reader, session: Reading, now: Now) -> Package:
    """Give a package with its versions, the newest first."""
    return PackageService(session, caller.sight, now).package(project, name)


@router.get("/{project}/{name}/{version}", summary="Describe a version")
def get_version(
    project: Project, name: Name, version: Version, caller: Reader, session: Reading, now: Now
) -> PackageVersion:
    """Give a version with its manifest, findings, approvals and signatures."""
    return PackageService(session, caller.sight, now).version(project, name, version)
