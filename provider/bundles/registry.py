"""A DAG bundle that runs one package of the registry, at the version that the lock file says.

The DAG processor follows the lock file, so that an import, an upgrade and a rollback need no restart. A worker gets the
name of the bundle and a version, and nothing else: the version names the bytes, the copy on its disk has them, and the
registry is asked only for a copy that is not there yet.
"""

from __future__ import annotations

import hashlib
import json
import logging
from functools import cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.bundles.base import BaseDagBundle

from festaf.client.errors import RegistryError
from festaf.provider.bundles.news import news_of
from festaf.provider.bundles.store import Store
from festaf.provider.dag_packages.disk import replace
from festaf.provider.dag_packages.errors import PackageError, QuarantinedError, StoreError
from festaf.provider.dag_packages.importing.verification import signer
from festaf.provider.dag_packages.settings import current_lock, lock_path, lock_state, open_registry
from festaf.sharing.names import BUNDLE_DIGEST_LENGTH, parse_bundle_version

try:
    from airflow.dag_processing.bundles.base import BundleVersion
except ImportError:  # Airflow before 3.3 takes the text alone.
    BundleVersion = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.dag_package import PackageVersion
    from festaf.provider.dag_packages.importing.lock import LockedPackage

PARAMETERS = "festaf.parameters.json"
"""What the importer chose; beside the versions, since a choice is no part of what was published."""
WRITTEN = "festaf.parameters.written"
"""From which state of the lock file they were written, and their hash."""
QUARANTINED = "quarantined"
_TAKEN = frozenset(signature(BaseDagBundle.__init__).parameters)
log = logging.getLogger(__name__)


class RegistryDagBundle(BaseDagBundle):
    """Run the DAGs of one package of the registry.

    :param package: ``<namespace>/<name>``
    :param kwargs: those of every bundle: ``name``, ``refresh_interval``, ``version``, ``view_url_template``; what a
        newer Airflow gives besides is left aside
    """

    supports_versioning = True

    def __init__(self, *, package: str, **kwargs: Any) -> None:
        super().__init__(**{name: value for name, value in kwargs.items() if name in _TAKEN})
        self.package = package
        self.store = Store(self.versions_dir, self.base_dir / "seals")
        self._serving: str | None = None

    @cached_property
    def lock_file(self) -> Path:
        """Give the place of the lock file."""
        return lock_path()

    @property
    def path(self) -> Path:
        """Give the folder of the version that is pinned, or of the one in use; an empty one when there is none."""
        version = self.version or self._serving
        return self.store.place(version) if version else self.base_dir / "empty"

    def initialize(self) -> None:
        """Make sure that a verified copy is on the disk; the registry is asked only if it is not.

        :raises QuarantinedError: the registry said that nobody may run the version
        :raises PackageError: there is no copy, and none can be had
        """
        if self.version:
            self._materialise(self.version)
        else:
            self._follow()
        super().initialize()

    def refresh(self) -> None:
        """Follow the lock file, and look whether the version was quarantined.

        :raises PackageError: there is no copy of the version, and none can be had
        """
        if self.version:
            raise PackageError(f"The bundle {self.name} is pinned to {self.version} and cannot be refreshed")
        self._follow()

    def get_current_version(self) -> Any:
        """Give the version in use; the text names its bytes, for it is all that a worker gets."""
        version = self.version or self._serving
        if version is None or BundleVersion is None:
            return version
        return BundleVersion(version=version, data={"package": self.package})

    def view_url_template(self) -> str | None:
        """Give where the registry describes the package."""
        if self._view_url_template:
            return self._view_url_template
        locked = self._entry()
        return f"{locked.registry}/api/v1/dag-packages/{self.package}" if locked else None

    def _follow(self) -> None:
        """Serve what the lock file says, as long as the registry does not forbid it."""
        locked = self._entry()
        if locked is None:
            log.warning("The lock file %s does not know %s: it has no DAGs", self.lock_file, self.package)
            self._serve(None)
            return
        change = news_of(locked.registry).of(locked.namespace, locked.name, locked.version)
        if change is not None and change.digest == locked.digest:
            self._mark_quarantined(locked.bundle_version, quarantined=change.state == "quarantined")
        try:
            self._materialise(locked.bundle_version)
        except QuarantinedError as error:
            log.error("%s", error)
            self._serve(None)
            return
        self._serve(locked.bundle_version)

    def _serve(self, version: str | None) -> None:
        if version is None:
            (self.base_dir / "empty").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._serving = version

    def _materialise(self, version: str) -> None:
        """Have a verified copy; those who come at the same time wait for the first."""
        if self._quarantine_mark(version).exists():
            raise QuarantinedError(
                f"{self.package} {version} is quarantined by the registry: nobody may run it. Roll back with 'festaf "
                f"dag rollback {self.package}', or ask the owners of the namespace"
            )
        with self.lock():
            self._write_parameters()
            if not self.store.holds(version):
                log.info("Getting %s %s from the registry", self.package, version)
                self.store.keep(version, self._fetch(version))

    def _fetch(self, version: str) -> bytes:
        """Get the archive; what the keys of the lock file must have signed, they must have signed."""
        locked = self._entry()
        namespace, _, name = self.package.partition("/")
        wanted = parse_bundle_version(version)
        try:
            with open_registry(locked.registry if locked else None) as client:
                found = client.version(namespace, name, wanted.version)
                self._check(found, version, locked)
                return client.archive(namespace, name, wanted.version, found.digest)
        except RegistryError as error:
            raise PackageError(
                f"There is no copy of {self.package} {version} on this machine, and the registry gave none: {error}"
            ) from error

    def _check(self, found: PackageVersion, version: str, locked: LockedPackage | None) -> None:
        if found.digest[:BUNDLE_DIGEST_LENGTH] != parse_bundle_version(version).digest_start:
            raise StoreError(
                f"The registry has other bytes for {self.package} {found.version} than {version}: {found.digest}"
            )
        if found.state == "quarantined":
            self._mark_quarantined(version, quarantined=True)
            raise QuarantinedError(f"{self.package} {version} is quarantined: {found.reason}")
        if locked is not None and locked.key_id is not None:
            keys = current_lock(self.lock_file).keys_of(locked.registry, locked.namespace)
            signer(found, keys, required=True)

    def _mark_quarantined(self, version: str, *, quarantined: bool) -> None:
        """Remember it for those who start with the registry away."""
        mark = self._quarantine_mark(version)
        if quarantined and not mark.exists():
            mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark.touch()
        elif not quarantined:
            mark.unlink(missing_ok=True)

    def _quarantine_mark(self, version: str) -> Path:
        return self.base_dir / QUARANTINED / self.store.place(version).name

    def _write_parameters(self) -> None:
        """Write what the importer chose; a worker does not read again a lock file that is as it was then.

        Each task starts with this, and the lock file of a thousand packages takes longer to read than all else. Who
        follows the lock file has read it already.
        """
        path, written = self.base_dir / PARAMETERS, self.base_dir / WRITTEN
        state = f"{self.lock_file} {lock_state(self.lock_file)}"
        there = bool(self.version) and path.exists() and written.exists()
        if there and written.read_text() == f"{state} {_digest(path.read_bytes())}":
            return
        locked = self._entry()
        if locked is None:
            return
        content = json.dumps(locked.parameters, sort_keys=True).encode()
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(path, content)
        if self.version:
            written.write_text(f"{state} {_digest(content)}")  # Half of it would be equal to nothing.

    def _entry(self) -> LockedPackage | None:
        return current_lock(self.lock_file).find(self.package)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
