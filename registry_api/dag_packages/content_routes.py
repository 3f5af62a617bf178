"""Look into a version: its files, its README, its DAGs drawn, and what differs from another."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

from festaf.contract.dag_inspection import FileInspection
from festaf.contract.dag_package import Ancestor, Manifest, PackageDiff
from festaf.contract.dag_package_steps import PackageGraph
from festaf.registry_api.dag_packages.content import Content
from festaf.registry_api.dag_packages.difference import difference
from festaf.registry_api.dag_packages.edge import NO_SCRIPTS, TAGS, Blobs, Name, Project, Version
from festaf.registry_api.dag_packages.finding import Reader as Finder
from festaf.registry_api.dag_packages.graphs import graphs_of
from festaf.registry_api.dag_packages.readme import page_of
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.tables import PackageTable, PackageVersionTable
from festaf.registry_api.edge import Reader, Reading
from festaf.registry_api.errors import NotFoundError

router = APIRouter(prefix="/dag-packages/{project}/{name}/{version}", tags=TAGS)
OTHER = r"^[^/]{1,64}/[^/]{1,64}/[^/]{1,64}$"
FilePath = Annotated[str, Path(max_length=240, description="A file that the manifest lists")]
Other = Annotated[str, Query(alias="with", pattern=OTHER, description="namespace/name/version, the older one")]


@router.get(
    "/files/{path:path}",
    response_class=Response,
    summary="Get a file",
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_file(
    project: Project, name: Name, version: Version, path: FilePath, caller: Reader, session: Reading, blobs: Blobs
) -> Response:
    """Give a file as it is, to be saved and not to be shown."""
    _, row = Finder(PackageRepository(session), caller.sight).content(project, name, version)
    session.close()
    headers = {
        **NO_SCRIPTS,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.rpartition('/')[2], safe='')}",
    }
    data = Content(blobs, row.digest).file(path)
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get("/readme", response_class=HTMLResponse, summary="Show the README")
def get_readme(
    project: Project, name: Name, version: Version, caller: Reader, session: Reading, blobs: Blobs
) -> HTMLResponse:
    """Give the README as a page that loads nothing and runs nothing."""
    _, row = Finder(PackageRepository(session), caller.sight).content(project, name, version, whole=True)
    session.close()
    path = Manifest.model_validate(row.manifest).readme
    if path is None:
        raise NotFoundError("the version has no README")
    readme = Content(blobs, row.digest).file(path).decode()
    return HTMLResponse(page_of(readme, f"{project}/{name} {version}"), headers=NO_SCRIPTS)


@router.get("/graph", summary="Draw the DAGs")
def get_graph(project: Project, name: Name, version: Version, caller: Reader, session: Reading) -> PackageGraph:
    """Give tasks and edges of each DAG, as the registry read them from the code."""
    _, row = Finder(PackageRepository(session), caller.sight).content(project, name, version, whole=True)
    return graphs_of(_inspection(row))


@router.get("/diff", summary="Compare with another version or fork")
def get_diff(
    project: Project, name: Name, version: Version, other: Other, caller: Reader, session: Reading, blobs: Blobs
) -> PackageDiff:
    """Tell what differs from another version: tasks, edges, schedule, needs and code, within bounds."""
    finder = Finder(PackageRepository(session), caller.sight)
    namespace, package, older = other.split("/")
    before = finder.content(namespace, package, older, whole=True)
    after = finder.content(project, name, version, whole=True)
    session.close()
    files = Content(blobs, before[1].digest).files(), Content(blobs, after[1].digest).files()
    return difference(_side(*before), _side(*after), files)


def _side(package: PackageTable, row: PackageVersionTable) -> tuple[Ancestor, Manifest, tuple[FileInspection, ...]]:
    named = Ancestor(namespace=package.namespace, name=package.name, version=row.version, digest=row.digest)
    return named, Manifest.model_validate(row.manifest), _inspection(row)


def _inspection(row: PackageVersionTable) -> tuple[FileInspection, ...]:
    return tuple(FileInspection.model_validate(item) for item in row.inspection)
