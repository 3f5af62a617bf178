"""Bring a package into a registry, step by step: stage the archive, add the signature, publish.

Each step may be repeated, and the next run begins at the first one that is not done: a run that was killed anywhere is
finished by running it again. Nothing is kept on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from festaf.client.errors import AbsentError
from festaf.contract.dag_package import SignedStatement
from festaf.provider.dag_packages.export.errors import TakenVersionError
from festaf.sharing.archive import Archive, open_archive
from festaf.sharing.signature import public_key, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import Manifest, PackageVersion

Outcome = Literal["published", "already_published", "waiting"]


@dataclass(frozen=True)
class Publication:
    """What became of a package."""

    outcome: Outcome
    version: PackageVersion
    signed_by: str | None
    """Id of the key."""
    waiting_for: str | None = None
    """What is missing until it can be published, as a sentence."""


def publish(
    client: DagPackageClient,
    archive: bytes,
    *,
    key: Ed25519PrivateKey | None = None,
    tell: Callable[[str], None] = lambda step: None,
) -> Publication:
    """Publish an archive, or as much of it as the rules of its namespace allow now.

    :param key: signs the package; it must be one of the namespace
    :param tell: is called with a sentence before each step
    :raises ArchiveError: it is no archive
    :raises TakenVersionError: the registry has other files under this version
    :raises RegistryError: the registry refuses, or does not answer
    """
    opened = open_archive(archive)
    manifest = opened.manifest
    name = (manifest.namespace, manifest.name, manifest.version)
    standing = _standing(client, name)
    if standing is not None and standing.state != "staged" and standing.digest != opened.digest:
        _require_same_files(standing, manifest)
        return Publication("already_published", standing, _signer(standing))
    if standing is None or standing.digest != opened.digest:
        tell(f"Sending {'/'.join(name[:2])} {manifest.version}: {opened.size} bytes, {len(opened.files)} files")
        standing = client.stage(*name, archive)
    if key is not None and public_key(key).key_id not in {signature.key_id for signature in standing.signatures}:
        tell(f"Signing with the key {public_key(key).key_id}")
        standing = client.sign(*name, sign(statement_of(opened), key))
    if standing.state != "staged":
        return Publication("already_published", standing, _signer(standing))
    waiting = _waiting(client, standing)
    if waiting is not None:
        return Publication("waiting", standing, _signer(standing), waiting)
    tell("Publishing")
    return Publication("published", client.publish(*name, opened.digest), _signer(standing))


def statement_of(archive: Archive) -> SignedStatement:
    """Give what a signature says of an archive."""
    manifest = archive.manifest
    return SignedStatement(
        namespace=manifest.namespace,
        name=manifest.name,
        version=manifest.version,
        digest=archive.digest,
        size=archive.size,
    )


def _standing(client: DagPackageClient, name: tuple[str, str, str]) -> PackageVersion | None:
    try:
        return client.version(*name)
    except AbsentError:
        return None


def _require_same_files(standing: PackageVersion, manifest: Manifest) -> None:
    """Take a version that was published from the same files for done, whatever commit or machine it was made on."""
    if standing.state == "published" and standing.manifest.files == manifest.files:
        return
    raise TakenVersionError(
        f"{manifest.namespace}/{manifest.name} {manifest.version} is {standing.state} in the registry with other "
        f"files, and a version never changes: give the next one in festaf.toml or with --version"
    )


def _waiting(client: DagPackageClient, standing: PackageVersion) -> str | None:
    missing = standing.approvals_needed - len(standing.approvals)
    name = f"{standing.namespace}/{standing.name}"
    if missing > 0:
        return (
            f"{missing} more of those who may approve in the namespace {standing.namespace}, and did not send it, must "
            f"approve the digest {standing.digest[:12]}; then run 'festaf dag publish' again"
        )
    if not standing.signatures and client.settings(standing.namespace).signatures_required:
        return (
            f"the namespace takes {name} only with a signature: make a key ('festaf dag key create'), have it "
            f"registered ('festaf dag key register {standing.namespace}'), and publish again with --key"
        )
    return None


def _signer(version: PackageVersion) -> str | None:
    return version.signatures[0].key_id if version.signatures else None
