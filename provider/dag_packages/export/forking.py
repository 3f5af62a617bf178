"""Make a package of one's own from a version that somebody else published, and keep where it came from."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.contract.dag_package import Ancestor
from festaf.provider.dag_packages.export.errors import ExportError, SettingsError
from festaf.provider.dag_packages.export.publishing import statement_of
from festaf.provider.dag_packages.export.settings import FILE
from festaf.provider.dag_packages.export.writing import settings_text
from festaf.sharing.archive import open_archive
from festaf.sharing.errors import SignatureError
from festaf.sharing.names import check_name, check_namespace
from festaf.sharing.signature import verify

if TYPE_CHECKING:
    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import PackageVersion
    from festaf.sharing.archive import Archive

_REFERENCE = re.compile(r"(?P<namespace>[a-z0-9-]+)/(?P<name>[a-z0-9-]+)(?:@(?P<version>[0-9A-Za-z.]+))?")
FIRST_VERSION = "0.1.0"


def fork(client: DagPackageClient, reference: str, target: str, folder: Path) -> tuple[Archive, tuple[str, ...]]:
    """Write the files of a version into a new folder, with a festaf.toml that names it as the ancestor.

    :param reference: ``namespace/name@version``; the latest version without
    :param target: ``namespace/name`` of the fork
    :return: what was forked, and the ids of the keys of its namespace that signed it
    :raises ExportError: the folder is in use, or what came is not what was signed
    """
    namespace, name, version = parse_reference(reference)
    to_namespace, to_name, _ = parse_reference(target)
    check_namespace(to_namespace)
    check_name(to_name)
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is there and not empty; name a new folder")
    if version is None:
        version = client.package(namespace, name).latest
        if version is None:
            raise ExportError(f"{namespace}/{name} has no published version")
    found = client.version(namespace, name, version)
    archive = open_archive(client.archive(namespace, name, version, found.digest))
    signers = _signers(client, found, archive)
    ancestor = Ancestor(namespace=namespace, name=name, version=version, digest=archive.digest, registry=client.url)
    files = {
        **archive.files,
        FILE: settings_text(
            archive.manifest, namespace=to_namespace, name=to_name, version=FIRST_VERSION, ancestor=ancestor
        ).encode(),
    }
    _write(folder, files)
    return archive, signers


def parse_reference(text: str) -> tuple[str, str, str | None]:
    """Read ``namespace/name`` with or without ``@version``.

    :raises SettingsError: it is none
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise SettingsError(f"{text!r} names no package; write namespace/name or namespace/name@version")
    return match["namespace"], match["name"], match["version"]


def _signers(client: DagPackageClient, version: PackageVersion, archive: Archive) -> tuple[str, ...]:
    """Give the keys whose signatures hold; one that does not hold stops the fork."""
    keys = client.keys(version.namespace) if version.signatures else ()
    signers = []
    for signature in version.signatures:
        try:
            said = verify(signature, keys, at=version.published_at)
        except SignatureError as error:
            raise ExportError(f"{version.namespace}/{version.name} {version.version}: {error}") from error
        if said != statement_of(archive):
            raise ExportError(f"The signature by {signature.key_id} is over another package than the one that came")
        signers.append(signature.key_id)
    return tuple(signers)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files or none: beside the folder first, then in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".festaf-fork-", dir=folder.parent) as made:
        whole = Path(made) / "fork"
        for path, content in files.items():
            file = whole / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if folder.exists():
            folder.rmdir()
        whole.rename(folder)
