"""Remove archives that are nobody's: of deleted versions, of bytes that others took the place of, of broken uploads."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from festaf.registry_api.dag_packages.blobs import SECONDS_BEFORE_LOST, BlobStore
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.staging import BLOBS, ROOM
from festaf.registry_api.database import Database, lock
from festaf.registry_api.errors import ServiceError

log = logging.getLogger(__name__)


def forget_blob(database: Database, blobs: BlobStore, digest: str) -> bool:
    """Remove a blob unless a version names it; tell whether it was removed."""
    with database.writing() as session:
        lock(session, [BLOBS], room=ROOM)
        if PackageRepository(session).named([digest]):
            return False
        blobs.remove(digest)
        return True


def forget_later(database: Database, blobs: BlobStore, digest: str) -> None:
    """Remove a blob after the answer was sent; what cannot be removed now is left to ``clean``."""
    try:
        forget_blob(database, blobs, digest)
    except (ServiceError, SQLAlchemyError) as error:
        log.warning(
            "The archive %s was not removed, and waits for festaf registry dag-archives clean: %s", digest, error
        )


def clean(database: Database, blobs: BlobStore, seconds: float = SECONDS_BEFORE_LOST) -> int:
    """Remove every blob that has been nobody's for some seconds; give how many there were."""
    old = list(blobs.old(seconds))
    with database.reading() as session:
        lost = set(old) - PackageRepository(session).named(old)
    return sum(forget_blob(database, blobs, digest) for digest in sorted(lost))


def damaged(database: Database, blobs: BlobStore) -> list[dict[str, str]]:
    """Name the versions whose archive is missing or not the one of its hash any more."""
    with database.reading() as session:
        named = PackageRepository(session).kept()
    return [
        {"package": f"{namespace}/{name}", "version": version, "digest": digest}
        for namespace, name, version, digest in named
        if blobs.read(digest) is None
    ]
