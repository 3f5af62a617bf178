"""What the registry says by now of the packages that are imported; without a registry, what the lock file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from festaf.client.errors import AbsentError, RegistryError
from festaf.provider.dag_packages.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import Package, VersionSummary
    from festaf.provider.dag_packages.importing.lock import LockedPackage


@dataclass(frozen=True)
class PackageState:
    """An imported package and what became of it."""

    locked: LockedPackage
    current: VersionSummary | None = None
    """The version in use as the registry lists it; None when it was not asked or no longer lists it."""
    latest: str | None = None
    silent: str | None = None
    """Why the registry was not asked."""
    gone: bool = False
    """True when the registry has no such package, or lets nobody see it who asks."""

    @property
    def outdated(self) -> bool:
        """Tell whether there is a newer version."""
        return self.latest is not None and Version(self.latest) > Version(self.locked.version)

    @property
    def said(self) -> str:
        """Say the state in a few words."""
        if self.silent:
            return "not known"
        if self.gone or self.current is None:
            return "not in the registry any more"
        if self.current.digest != self.locked.digest:
            return "OTHER BYTES in the registry"
        reason = f": {self.current.reason}" if self.current.reason else ""
        words = [] if self.current.state == "published" else [f"{self.current.state}{reason}"]
        return ", ".join([*words, *(["outdated"] if self.outdated else [])]) or "up to date"

    def shown(self) -> dict[str, Any]:
        """Give it for programs."""
        return {
            **self.locked.model_dump(mode="json"),
            "latest": self.latest,
            "outdated": self.outdated,
            "state": self.current.state if self.current else None,
            "state_reason": self.current.reason if self.current else None,
            "said": self.said,
            "registry_error": self.silent,
        }


def states(packages: Iterable[LockedPackage], opened: Callable[[], DagPackageClient]) -> list[PackageState]:
    """Ask for each package; a registry that is away is asked once."""
    listed = list(packages)
    if not listed:
        return []
    try:
        with opened() as client:
            return [_state(locked, client) for locked in listed]
    except (RegistryError, PackageError) as error:
        return [PackageState(locked, silent=str(error)) for locked in listed]


def _state(locked: LockedPackage, client: DagPackageClient) -> PackageState:
    try:
        package: Package = client.package(locked.namespace, locked.name)
    except AbsentError:
        return PackageState(locked, gone=True)
    current = next((found for found in package.versions if found.version == locked.version), None)
    return PackageState(locked, current, package.latest)
