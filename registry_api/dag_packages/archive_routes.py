"""Send an archive, and get it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Response
from fastapi.responses import StreamingResponse

from festaf.contract.dag_package import PackageVersion
from festaf.registry_api.dag_packages.cleaning import forget_later
from festaf.registry_api.dag_packages.downloads import count_download
from festaf.registry_api.dag_packages.edge import (
    ARCHIVE_BODY,
    NO_SCRIPTS,
    TAGS,
    ZIP,
    Blobs,
    Name,
    Project,
    TheMetrics,
    TheThrottle,
    Upload,
    Version,
)
from festaf.registry_api.dag_packages.finding import Reader as Finder
from festaf.registry_api.dag_packages.judging import judge, require_name
from festaf.registry_api.dag_packages.receiving import write_digest
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.staging import Staging
from festaf.registry_api.edge import Now, Reader, Reading, TheDatabase, Writer, Writing
from festaf.registry_api.errors import UnavailableError

router = APIRouter(prefix="/dag-packages/{project}/{name}/{version}", tags=TAGS)
Alike = Annotated[
    bool, Query(description="Take a name that looks like another; only for administrators of the namespace")
]


@router.put(
    "/archive",
    status_code=201,
    summary="Stage an archive",
    openapi_extra=ARCHIVE_BODY,
    responses={200: {"description": "These very bytes stand already", "model": PackageVersion}},
)
def put_archive(
    project: Project,
    name: Name,
    version: Version,
    received: Upload,
    caller: Writer,
    database: TheDatabase,
    session: Writing,
    blobs: Blobs,
    throttle: TheThrottle,
    now: Now,
    response: Response,
    metrics: TheMetrics,
    background: BackgroundTasks,
    allow_look_alike: Alike = False,
) -> PackageVersion:
    """Take an archive in, staged; the same bytes again change nothing, and other bytes void what was said of it."""
    judged = judge(received)
    require_name(judged.manifest, project, name, version)
    with database.reading() as looking:
        before = Staging(looking, caller, now, blobs)
        if not before.standing(project, name, version, received.digest):
            before.check(judged.manifest, judged.archive.size, alike_allowed=allow_look_alike)
            if before.packages.find(project, name) is None:
                throttle.count_package(caller)
    blobs.put(received.digest, received.data)
    staging = Staging(session, caller, now, blobs)
    shown, new = staging.stage(judged, alike_allowed=allow_look_alike)
    if staging.replaced is not None:
        background.add_task(forget_later, database, blobs, staging.replaced)
    if new:
        metrics.carried("staged")
    else:
        response.status_code = 200
    return shown


@router.get(
    "/archive",
    response_class=StreamingResponse,
    summary="Get an archive",
    responses={200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_archive(
    project: Project,
    name: Name,
    version: Version,
    caller: Reader,
    session: Reading,
    database: TheDatabase,
    blobs: Blobs,
    now: Now,
    metrics: TheMetrics,
    background: BackgroundTasks,
) -> Response:
    """Give the bytes of a version, whoever has chosen it: also of a yanked one, never of a quarantined one."""
    _, row = Finder(PackageRepository(session), caller.sight).content(project, name, version)
    session.close()
    pieces = blobs.stream(row.digest)
    if pieces is None:
        raise UnavailableError(
            "the archive is missing or damaged in the registry's store; its operator has to restore it"
        )
    metrics.carried("fetched")
    background.add_task(count_download, database, row.id, now)
    headers = {
        **NO_SCRIPTS,
        "Content-Length": str(row.size),
        "Content-Digest": write_digest(row.digest),
        "Content-Disposition": f'attachment; filename="{project}-{name}-{version}.zip"',
        "ETag": f'"{row.digest}"',
        "Cache-Control": "private, no-cache",
    }
    return StreamingResponse(pieces, media_type=ZIP, headers=headers, background=background)
