"""Copies of package versions on this machine's disk: whole and verified, or not there.

A copy is unpacked beside its place, written through to the disk, and renamed there: a process killed at any moment
leaves no half of one. Before a copy is used it is compared with its seal (size, time and inode of every file), which
costs a look at each; whatever differs is read again as a whole and must have the digest that the version names.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.contract.dag_package import MANIFEST_PATH
from festaf.provider.dag_packages.disk import replace, sync_folder, write_new
from festaf.provider.dag_packages.errors import StoreError
from festaf.sharing.archive import build_archive, digest_of, open_archive
from festaf.sharing.errors import SharingError
from festaf.sharing.manifest import manifest_bytes, read_manifest
from festaf.sharing.names import BundleVersion, parse_bundle_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.sharing.archive import Archive

UNFINISHED = ".unpacking-"
BYTECODE = "__pycache__"
"""Python writes it when it imports; it is no part of a package, and is not in a copy that was just unpacked."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
Seal = dict[str, list[int]]


@dataclass(frozen=True)
class Store:
    """The copies of one bundle. Whoever keeps or discards holds the bundle's lock.

    :param versions: Airflow's folder for the versions of the bundle
    :param seals: where the seals stand, beside it
    """

    versions: Path
    seals: Path

    def place(self, version: str) -> Path:
        """Give the folder of a version, there or not.

        :raises StoreError: the version cannot be one, so that it might lead elsewhere
        """
        return self.versions / str(_parsed(version))

    def holds(self, version: str) -> bool:
        """Tell whether a whole copy is there; one that was changed is not.

        :raises StoreError: the place is not a folder of our own
        """
        place = self.place(version)
        if not place.is_symlink() and not place.exists():
            return False
        self._check_own(place)
        found = dict(_listed(place))
        if found and self._sealed(version) == found:
            return True
        if not _is_genuine(place, found, _parsed(version)):
            return False
        self._seal(version, found)
        return True

    def keep(self, version: str, data: bytes) -> Archive:
        """Unpack an archive to its place; a copy that was changed makes room.

        :raises StoreError: the archive is not of the version, or the disk does not take it
        """
        wanted = _parsed(version)
        try:
            archive = open_archive(data)
        except SharingError as error:
            raise StoreError(f"The archive of {version} is refused: {error}") from error
        if not archive.digest.startswith(wanted.digest_start) or archive.manifest.version != wanted.version:
            raise StoreError(
                f"The archive is not that of {version}: it is of {archive.manifest.version}, digest {archive.digest}"
            )
        place = self.place(version)
        try:
            self._make_room(place)
            new = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.versions))
            _unpack(archive, new)
            new.rename(place)
            sync_folder(self.versions)
            self._seal(version, dict(_listed(place)))
        except OSError as error:
            self.sweep()
            raise StoreError(f"{version} cannot be written to {self.versions}: {error.strerror}") from error
        return archive

    def sweep(self) -> None:
        """Remove what a killed process left unfinished."""
        for left in self.versions.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)

    def _make_room(self, place: Path) -> None:
        for folder in (self.versions.parent, self.versions, self.seals):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_own(folder)
        self.sweep()
        if place.is_symlink():
            place.unlink()
        elif place.exists():
            # It is moved first: an interrupted removal must not leave a part of it where a whole is expected.
            changed = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.versions))
            place.rename(changed / "changed")
            shutil.rmtree(changed)

    def _check_own(self, folder: Path) -> None:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise StoreError(f"{folder} is not a folder; somebody else put it there. Look at it, and remove it")
        if found.st_uid != os.geteuid() or found.st_mode & OTHERS_WRITE:
            raise StoreError(
                f"Others may write to {folder}, so that what runs from there could be theirs. Set [dag_processor] "
                "dag_bundle_storage_path to a folder that only Airflow's user may write to"
            )

    def _sealed(self, version: str) -> Seal | None:
        try:
            found: Seal = json.loads((self.seals / f"{version}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return found

    def _seal(self, version: str, found: Seal) -> None:
        self.seals.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(self.seals / f"{version}.json", json.dumps(found).encode())


def _parsed(version: str) -> BundleVersion:
    try:
        return parse_bundle_version(version)
    except SharingError as error:
        raise StoreError(f"{error}; no package version has such a name") from error


def _listed(folder: Path, prefix: str = "") -> Iterator[tuple[str, list[int]]]:
    """Give path, size, time and inode of each file, in no order; links and devices count with what they are."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != BYTECODE:
                    yield from _listed(Path(entry.path), f"{prefix}{entry.name}/")
                continue
            found = entry.stat(follow_symlinks=False)
            yield f"{prefix}{entry.name}", [found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino]


def _is_genuine(place: Path, found: Mapping[str, list[int]], version: BundleVersion) -> bool:
    """Make the archive again from the files, and compare its digest."""
    if MANIFEST_PATH not in found or not all(stat.S_ISREG(mode) for mode, *_ in found.values()):
        return False
    try:
        files = {path: (place / path).read_bytes() for path in found if path != MANIFEST_PATH}
        archive = build_archive(read_manifest((place / MANIFEST_PATH).read_bytes()), files)
    except (OSError, SharingError):
        return False
    return digest_of(archive).startswith(version.digest_start)


def _unpack(archive: Archive, folder: Path) -> None:
    """Write the files of an archive; it was made again from them, so the manifest has these bytes."""
    write_new(folder / MANIFEST_PATH, manifest_bytes(archive.manifest))
    for path, content in archive.files.items():
        write_new(folder / path, content)
    for inner, _, _ in os.walk(folder):
        sync_folder(Path(inner))
