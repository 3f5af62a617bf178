"""The files of a version: only those that its manifest lists, out of an archive that was checked when it came."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from festaf.contract.dag_package import MANIFEST_PATH
from festaf.registry_api.dag_packages.blobs import BlobStore
from festaf.registry_api.errors import NotFoundError, UnavailableError


class Content:
    """Reads the files of one archive, which has to be the one of its hash still."""

    def __init__(self, blobs: BlobStore, digest: str) -> None:
        data = blobs.read(digest)
        if data is None:
            raise UnavailableError(
                "the archive is missing or damaged in the registry's store; its operator has to restore it"
            )
        self.archive = zipfile.ZipFile(io.BytesIO(data))
        self.paths = frozenset(self.archive.namelist()) - {MANIFEST_PATH}

    def file(self, path: str) -> bytes:
        """Give a file.

        :raises NotFoundError: the version has no such file
        """
        if path not in self.paths:
            raise NotFoundError("the version has no such file")
        return self.archive.read(path)

    def files(self) -> Mapping[str, bytes]:
        """Give all files."""
        return {path: self.archive.read(path) for path in sorted(self.paths)}
