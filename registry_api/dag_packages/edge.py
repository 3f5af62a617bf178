"""What the routes of packages stand on: names in paths, the store of archives, bodies that are archives."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import Depends, Header, Path, Request

from festaf.registry_api.access.limits import Throttle
from festaf.registry_api.dag_packages.blobs import BlobStore
from festaf.registry_api.dag_packages.receiving import Received, receive
from festaf.registry_api.edge import Writer
from festaf.registry_api.openapi import PACKAGES
from festaf.registry_api.operations.metrics import Metrics
from festaf.sharing.limits import ARCHIVE_BYTES

TAGS: list[str | Enum] = [PACKAGES]
ZIP = "application/zip"
NO_SCRIPTS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
}
"""What strangers wrote is shown by a browser as it is, and does nothing there."""

Project = Annotated[str, Path(max_length=64, description="A namespace: a project of the registry")]
Name = Annotated[str, Path(max_length=64, description="A package")]
Version = Annotated[str, Path(max_length=64, description="A version, in its canonical spelling")]
ContentDigest = Annotated[
    str | None, Header(alias="Content-Digest", max_length=500, description="sha-256=:<base64>: (RFC 9530)")
]
ARCHIVE_BODY = {"requestBody": {"required": True, "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}
"""What OpenAPI is told of a body that the route reads itself."""


async def blobs_of(request: Request) -> BlobStore:
    """Give the store of archives."""
    blobs: BlobStore = request.app.state.blobs
    return blobs


async def throttle_of(request: Request) -> Throttle:
    """Give what counts requests."""
    throttle: Throttle = request.app.state.throttle
    return throttle


async def metrics_of(request: Request) -> Metrics:
    """Give what is counted for operators."""
    metrics: Metrics = request.app.state.metrics
    return metrics


TheMetrics = Annotated[Metrics, Depends(metrics_of)]
Blobs = Annotated[BlobStore, Depends(blobs_of)]
TheThrottle = Annotated[Throttle, Depends(throttle_of)]


async def received_archive(
    request: Request, project: Project, caller: Writer, throttle: TheThrottle, _: ContentDigest = None
) -> Received:
    """Read an archive, once it is known that the caller may send one."""
    caller.require_write(project)
    throttle.count_upload(caller)
    return await receive(request, ZIP, ARCHIVE_BYTES)


Upload = Annotated[Received, Depends(received_archive)]
