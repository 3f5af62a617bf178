"""``/dag-packages/mirror``: versions as one file, for registries that cannot reach each other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import StringConstraints

from festaf.contract.dag_package_mirror import MIRROR_TYPE, MOST_MIRRORED, ImportedMirror
from festaf.registry_api.dag_packages.edge import NO_SCRIPTS, TAGS, Blobs, ContentDigest, TheThrottle
from festaf.registry_api.dag_packages.mirroring import MirrorExport, MirrorImport
from festaf.registry_api.dag_packages.receiving import Received, receive
from festaf.registry_api.edge import Now, Reader, Reading, TheDatabase, Writer, Writing
from festaf.sharing.mirror import MIRROR_BYTES

router = APIRouter(prefix="/dag-packages/mirror", tags=TAGS)
FILE = {"content": {MIRROR_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
VersionName = Annotated[str, StringConstraints(pattern=r"^[^/]{1,64}/[^/]{1,64}/[^/]{1,64}$")]
Names = Annotated[
    list[VersionName],
    Query(alias="package", min_length=1, max_length=MOST_MIRRORED, description="namespace/name/version"),
]
TrustKeys = Annotated[
    bool, Query(description="Let the file's keys sign here, too; only for administrators of the namespaces")
]


async def received_mirror(request: Request, caller: Writer, throttle: TheThrottle, _: ContentDigest = None) -> Received:
    """Read a mirror file of one who may write somewhere."""
    throttle.count_upload(caller)
    return await receive(request, MIRROR_TYPE, MIRROR_BYTES)


@router.get("", response_class=Response, summary="Export versions", responses={200: FILE})
def get_mirror(names: Names, request: Request, caller: Reader, session: Reading, blobs: Blobs, now: Now) -> Response:
    """Give versions with their signatures and keys as one file."""
    wanted = [(namespace, name, version) for namespace, name, version in (item.split("/") for item in names)]
    data = MirrorExport(session, caller.sight, blobs).give(wanted, str(request.base_url).rstrip("/")[:500], now)
    headers = {**NO_SCRIPTS, "Content-Disposition": 'attachment; filename="festaf-mirror.zip"'}
    return Response(data, media_type=MIRROR_TYPE, headers=headers)


@router.post("", summary="Import versions", openapi_extra={"requestBody": {"required": True, **FILE}})
def post_mirror(
    received: Annotated[Received, Depends(received_mirror)],
    caller: Writer,
    database: TheDatabase,
    session: Writing,
    blobs: Blobs,
    now: Now,
    trust_keys: TrustKeys = False,
) -> ImportedMirror:
    """Take in the versions of a file, all or none; those that the rules let be published are published."""
    taking = MirrorImport(caller, blobs, now, trust_keys=trust_keys)
    mirror, judged = taking.judge(received.data)
    taking.check(database, mirror, judged)
    for one in judged:
        blobs.put(one.archive.digest, one.data)
    return taking.take(session, mirror, judged)
