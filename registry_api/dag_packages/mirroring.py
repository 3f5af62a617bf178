"""Carry versions from one registry to another: digests and signatures stay, and where they come from is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag_package import PublisherKey, Signature
from festaf.contract.dag_package_mirror import Imported, ImportedMirror, Mirror, MirroredVersion
from festaf.contract.dag_package_steps import KeyRequest
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.blobs import BlobStore
from festaf.registry_api.dag_packages.finding import Reader, who
from festaf.registry_api.dag_packages.judging import Judged, judge, require_name
from festaf.registry_api.dag_packages.namespaces import NamespaceService
from festaf.registry_api.dag_packages.receiving import Received
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.staging import BLOBS, ROOM, Staging, room_of
from festaf.registry_api.dag_packages.steps import VersionSteps
from festaf.registry_api.database import Database, lock
from festaf.registry_api.errors import ConflictError, UnavailableError, UnprocessableError
from festaf.sharing.errors import SharingError
from festaf.sharing.mirror import build_mirror, open_mirror
from festaf.sharing.signature import verify


class MirrorExport:
    """Writes mirror files of what one sees."""

    def __init__(self, session: Session, sight: Sight, blobs: BlobStore) -> None:
        self.session = session
        self.packages = PackageRepository(session)
        self.namespaces = NamespaceService(session)
        self.reader = Reader(self.packages, sight)
        self.blobs = blobs

    def give(self, names: Sequence[tuple[str, str, str]], origin: str, now: datetime) -> bytes:
        """Write versions that are published, or yanked, to one file.

        :raises ConflictError: one of them was never published
        """
        versions = [self._version(*name) for name in dict.fromkeys(names)]
        self.session.close()  # Nobody waits for the store with a connection of the database in hand.
        archives = {version.digest: self._archive(version) for version in versions}
        try:
            return build_mirror(Mirror(origin=origin, exported_at=now, versions=tuple(versions)), archives)
        except SharingError as error:
            raise ConflictError(error.message) from error

    def _version(self, namespace: str, name: str, version: str) -> MirroredVersion:
        package, row = self.reader.content(namespace, name, version)
        if row.published_at is None:
            raise ConflictError(f"{namespace}/{name} {version} is not published")
        signatures = [Signature.model_validate(item.envelope) for item in self.packages.signatures(row.id)]
        keys = {signature.key_id for signature in signatures}
        return MirroredVersion(
            namespace=package.namespace,
            name=package.name,
            version=row.version,
            digest=row.digest,
            size=row.size,
            published_at=row.published_at,
            signatures=tuple(signatures),
            keys=tuple(key for key in self.namespaces.keys(namespace) if key.key_id in keys),
        )

    def _archive(self, version: MirroredVersion) -> bytes:
        data = self.blobs.read(version.digest)
        if data is None:
            said = f"{version.namespace}/{version.name} {version.version}"
            raise UnavailableError(f"the archive of {said} is missing or damaged in the registry's store")
        return data


class MirrorImport:
    """Takes in the versions of a mirror file, as one who may write in their namespaces."""

    def __init__(self, caller: Caller, blobs: BlobStore, now: datetime, *, trust_keys: bool) -> None:
        self.caller = caller
        self.blobs = blobs
        self.now = now
        self.trust_keys = trust_keys

    def judge(self, data: bytes) -> tuple[Mirror, tuple[Judged, ...]]:
        """Look at everything in a file before anything is kept.

        :raises UnprocessableError: something in it is not what it says
        :raises ForbiddenError: the caller may not write where it belongs, or not let its keys sign there
        """
        try:
            mirror, archives = open_mirror(data)
        except SharingError as error:
            raise UnprocessableError(f"the mirror file is refused, {error.code}: {error.message}") from error
        for version in mirror.versions:
            self.caller.require_write(version.namespace)
            if self.trust_keys and version.keys:
                self.caller.require_project_admin(version.namespace)
        return mirror, tuple(self._judged(version, archives) for version in mirror.versions)

    def check(self, database: Database, mirror: Mirror, judged: Iterable[Judged]) -> None:
        """Make sure that everything may be staged, before any archive is kept."""
        with database.reading() as session:
            staging = Staging(session, self.caller, self.now, self.blobs)
            namespaces = NamespaceService(session)
            for version, one in zip(mirror.versions, judged, strict=True):
                if not staging.standing(version.namespace, version.name, version.version, version.digest):
                    staging.check(one.manifest, one.archive.size, alike_allowed=False)
                self._check_signatures(namespaces, version)

    def take(self, session: Session, mirror: Mirror, judged: Iterable[Judged]) -> ImportedMirror:
        """Stage every version with its signatures, and publish what the namespace's rules let be published."""
        lock(session, [BLOBS, *(room_of(version.namespace) for version in mirror.versions)], room=ROOM)
        pairs = zip(mirror.versions, judged, strict=True)
        return ImportedMirror(
            origin=mirror.origin, items=tuple(self._take(session, mirror.origin, *pair) for pair in pairs)
        )

    def _take(self, session: Session, origin: str, version: MirroredVersion, judged: Judged) -> Imported:
        name = (version.namespace, version.name, version.version)
        shown, new = Staging(session, self.caller, self.now, self.blobs).stage(
            judged, alike_allowed=False, origin=origin
        )
        waiting: tuple[str, ...] = ()
        if shown.state == "staged":
            self._keep_keys(NamespaceService(session), version)
            steps = VersionSteps(session, self.caller, self.now, name)
            for signature in version.signatures:
                steps.sign(signature, signed_before=True)
            waiting = steps.waiting()
            if not waiting:
                shown = steps.publish(version.digest)
        return Imported(
            namespace=version.namespace,
            name=version.name,
            version=version.version,
            digest=version.digest,
            state=shown.state,
            new=new,
            waiting=waiting,
        )

    def _judged(self, version: MirroredVersion, archives: Mapping[str, bytes]) -> Judged:
        judged = judge(Received(archives[version.digest], version.digest))
        require_name(judged.manifest, version.namespace, version.name, version.version)
        return judged

    def _check_signatures(self, namespaces: NamespaceService, version: MirroredVersion) -> None:
        known: dict[str, PublisherKey] = {key.key_id: key for key in namespaces.keys(version.namespace)}
        if self.trust_keys:
            known = {key.key_id: key for key in version.keys} | known
        for signature in version.signatures:
            try:
                verify(signature, known.values())
            except SharingError as error:
                raise UnprocessableError(
                    f"a signature of {version.namespace}/{version.name} {version.version} is refused, {error.code}: "
                    f"{error.message}. Let its key sign for the namespace here, or send trust_keys=true as its "
                    "administrator"
                ) from error

    def _keep_keys(self, namespaces: NamespaceService, version: MirroredVersion) -> None:
        """Let the keys of the file sign here, too, since an administrator of the namespace says so."""
        if not self.trust_keys:
            return
        known = {key.key_id for key in namespaces.keys(version.namespace)}
        for key in version.keys:
            if key.key_id not in known and key.revoked_at is None:
                said = KeyRequest(public_key=key.public_key, comment=key.comment, expires_at=key.expires_at)
                namespaces.put_key(version.namespace, key.key_id, said, who(self.caller), self.now)
