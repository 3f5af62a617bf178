"""DAG packages over HTTP: send an archive, review it, publish it, get it, and hear what changed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import httpx
from pydantic import TypeAdapter

from festaf.client.answer import read
from festaf.client.errors import UnexpectedAnswerError
from festaf.client.sender import Sender
from festaf.contract.dag_package import (
    NamespaceSettings,
    Package,
    PackageChanges,
    PackageDiff,
    PackageSummary,
    PackageVersion,
    PublisherKey,
    Signature,
)
from festaf.contract.dag_package_mirror import MIRROR_TYPE, ImportedMirror
from festaf.contract.dag_package_steps import (
    ApproveRequest,
    KeyRequest,
    PackageGraph,
    PublisherKeys,
    PublishRequest,
    ReasonRequest,
)
from festaf.contract.http import API, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

PAGE_SIZE = 100
ARCHIVE_TYPE = "application/zip"
DEFAULT_TIMEOUT = 60.0
"""An archive may be large, and the registry reads all code in it before it answers."""
_PATH = f"{API}/dag-packages"
_NAMESPACES = f"{API}/dag-namespaces"
_PACKAGES = TypeAdapter(Page[PackageSummary])
_PACKAGE = TypeAdapter(Package)
_VERSION = TypeAdapter(PackageVersion)
_DIFF = TypeAdapter(PackageDiff)
_GRAPH = TypeAdapter(PackageGraph)
_IMPORTED = TypeAdapter(ImportedMirror)
_CHANGES = TypeAdapter(PackageChanges)
_SETTINGS = TypeAdapter(NamespaceSettings)
_KEYS = TypeAdapter(PublisherKeys)
_KEY = TypeAdapter(PublisherKey)


@dataclass(frozen=True)
class Changed:
    """What changed, with the tag that asks the same question again for almost nothing."""

    changes: PackageChanges
    etag: str | None


class DagPackageClient(Sender):
    """A connection to one registry that publishes and gets DAG packages.

    Every call may be repeated safely: archives are told apart by their digest, and each step is taken once.
    """

    def __init__(
        self, url: str, token: str | None = None, timeout: float = DEFAULT_TIMEOUT, *, retry: bool = True
    ) -> None:
        super().__init__(url, token, timeout, retry=retry)

    def packages(self, **asked: str | bool | None) -> Iterator[PackageSummary]:
        """Find packages, page by page; the parameters are those of ``GET /dag-packages``, such as ``q`` and ``tag``."""
        wanted = {name: _said(value) for name, value in asked.items() if value is not None}
        cursor: str | None = None
        while True:
            page = read(self._get(_PATH, {**wanted, "limit": PAGE_SIZE, "cursor": cursor}), _PACKAGES)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def package(self, namespace: str, name: str) -> Package:
        """Ask for a package with its versions.

        :raises AbsentError: there is none, or it may not be seen
        """
        return read(self._get(_path(namespace, name), {}), _PACKAGE)

    def version(self, namespace: str, name: str, version: str) -> PackageVersion:
        """Ask for a version.

        :raises AbsentError: there is none, or it may not be seen
        :raises RefusedError: with the status 410, it was deleted
        """
        return read(self._get(_path(namespace, name, version), {}), _VERSION)

    def stage(
        self, namespace: str, name: str, version: str, archive: bytes, *, allow_look_alike: bool = False
    ) -> PackageVersion:
        """Send an archive; the same bytes again change nothing.

        :param allow_look_alike: take a name that looks like another one; only for administrators of the namespace
        :raises InvalidError: the registry refuses the archive, or other bytes stand there for good
        """
        request = self._http.build_request(
            "PUT",
            f"{self.url}{_path(namespace, name, version)}/archive",
            params={"allow_look_alike": "true"} if allow_look_alike else {},
            content=archive,
            headers={"Content-Type": ARCHIVE_TYPE, "Content-Digest": _digest_header(archive)},
        )
        return read(self._call(request), _VERSION)

    def diff(self, before: tuple[str, str, str], after: tuple[str, str, str]) -> PackageDiff:
        """Ask what differs between two versions; each is namespace, name and version.

        :raises AbsentError: one of them is not there, or may not be seen
        """
        return read(self._get(f"{_path(*after)}/diff", {"with": "/".join(before)}), _DIFF)

    def graph(self, namespace: str, name: str, version: str) -> PackageGraph:
        """Ask for the DAGs of a version as graphs."""
        return read(self._get(f"{_path(namespace, name, version)}/graph", {}), _GRAPH)

    def archive(self, namespace: str, name: str, version: str, digest: str) -> bytes:
        """Get the archive of a version, and make sure that it is the one of the digest.

        :raises AbsentError: there is none, or it may not be seen
        :raises RefusedError: with the status 410, it was deleted; with 451, it is quarantined
        :raises UnexpectedAnswerError: other bytes came
        """
        data = self._get(f"{_path(namespace, name, version)}/archive", {}).content
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise UnexpectedAnswerError(
                f"The registry at {self.url} gave other bytes for {namespace}/{name} {version} than asked for: "
                f"their SHA-256 is {found}, not {digest}"
            )
        return data

    def sign(self, namespace: str, name: str, version: str, signature: Signature) -> PackageVersion:
        """Add a signature by a key of the namespace.

        :raises InvalidError: it does not hold
        """
        return read(self._put(f"{_path(namespace, name, version)}/signature", signature, {}), _VERSION)

    def approve(self, namespace: str, name: str, version: str, digest: str, comment: str = "") -> PackageVersion:
        """Agree to the bytes of a version.

        :raises InvalidError: it is of other bytes by now
        :raises DeniedError: the caller sent them
        """
        return self._step(namespace, name, version, "approve", ApproveRequest(digest=digest, comment=comment))

    def publish(self, namespace: str, name: str, version: str, digest: str) -> PackageVersion:
        """Publish a staged version.

        :raises InvalidError: it is of other bytes by now, or the rules of the namespace are not met
        """
        return self._step(namespace, name, version, "publish", PublishRequest(digest=digest))

    def yank(self, namespace: str, name: str, version: str, reason: str) -> PackageVersion:
        """Let nobody choose a version anew."""
        return self._step(namespace, name, version, "yank", ReasonRequest(reason=reason))

    def unyank(self, namespace: str, name: str, version: str) -> PackageVersion:
        """Let a version be chosen again."""
        return self._step(namespace, name, version, "unyank", None)

    def quarantine(self, namespace: str, name: str, version: str, reason: str) -> PackageVersion:
        """Let nobody have a version."""
        return self._step(namespace, name, version, "quarantine", ReasonRequest(reason=reason))

    def release(self, namespace: str, name: str, version: str) -> PackageVersion:
        """Let a quarantined version be again what it was."""
        return self._step(namespace, name, version, "release", None)

    def delete(self, namespace: str, name: str, version: str) -> None:
        """Delete a version for good; its name and number are never free again."""
        self._call(self._http.build_request("DELETE", self.url + _path(namespace, name, version)))

    def changes(self, since: int = 0, etag: str | None = None) -> Changed | None:
        """Ask what changed in all packages that one sees after a number; None when nothing did.

        :param etag: of the last answer; with it, an answer without changes costs almost nothing
        """
        headers = {"If-None-Match": etag} if etag else {}
        request = self._http.build_request(
            "GET", f"{self.url}{_PATH}/changes", params={"since": since}, headers=headers
        )
        response = self._call(request)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        return Changed(read(response, _CHANGES), response.headers.get("ETag"))

    def export_mirror(self, versions: Sequence[tuple[str, str, str]]) -> bytes:
        """Get versions with their signatures and keys as one file.

        :param versions: namespace, name and version of each
        """
        query = urlencode([("package", "/".join(parts)) for parts in versions])
        return self._call(self._http.build_request("GET", f"{self.url}{_PATH}/mirror?{query}")).content

    def import_mirror(self, data: bytes, *, trust_keys: bool = False) -> ImportedMirror:
        """Hand over the file that another registry gave; all of it is taken, or nothing.

        :param trust_keys: let its keys sign here, too; only for administrators of the namespaces
        :raises InvalidError: something in it is not what it says
        """
        request = self._http.build_request(
            "POST",
            f"{self.url}{_PATH}/mirror",
            params={"trust_keys": _said(trust_keys)},
            content=data,
            headers={"Content-Type": MIRROR_TYPE, "Content-Digest": _digest_header(data)},
        )
        return read(self._call(request), _IMPORTED)

    def settings(self, namespace: str) -> NamespaceSettings:
        """Ask for the rules of a namespace."""
        return read(self._get(_namespace(namespace), {}), _SETTINGS)

    def put_settings(self, namespace: str, settings: NamespaceSettings) -> NamespaceSettings:
        """Set the rules of a namespace."""
        return read(self._put(_namespace(namespace), settings, {}), _SETTINGS)

    def keys(self, namespace: str) -> tuple[PublisherKey, ...]:
        """Ask for the keys of a namespace, with those that were revoked."""
        return read(self._get(f"{_namespace(namespace)}/keys", {}), _KEYS).items

    def put_key(self, namespace: str, key: PublisherKey) -> PublisherKey:
        """Let a key sign for a namespace."""
        said = KeyRequest(public_key=key.public_key, comment=key.comment, expires_at=key.expires_at)
        return read(self._put(f"{_namespace(namespace)}/keys/{quote(key.key_id, safe='')}", said, {}), _KEY)

    def revoke_key(self, namespace: str, key_id: str) -> PublisherKey:
        """Let a key sign no more."""
        path = f"{_namespace(namespace)}/keys/{quote(key_id, safe='')}"
        return read(self._call(self._http.build_request("DELETE", self.url + path)), _KEY)

    def _step(self, namespace: str, name: str, version: str, step: str, said: BaseModel | None) -> PackageVersion:
        content = said.model_dump_json().encode() if said is not None else None
        request = self._http.build_request(
            "POST",
            f"{self.url}{_path(namespace, name, version)}/{step}",
            content=content,
            headers={"Content-Type": "application/json"} if content is not None else {},
        )
        return read(self._call(request), _VERSION)


def _digest_header(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def _said(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _path(*parts: str) -> str:
    return "/".join((_PATH, *(quote(part, safe="") for part in parts)))


def _namespace(namespace: str) -> str:
    return f"{_NAMESPACES}/{quote(namespace, safe='')}"
