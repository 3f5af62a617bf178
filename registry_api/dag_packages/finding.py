"""Who asks, as packages know them: by kind and name, so that a service and a user of one name are two."""

from __future__ import annotations

from dataclasses import dataclass

from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.tables import PackageTable, PackageVersionTable
from festaf.registry_api.errors import GoneError, NotFoundError, QuarantinedError
from festaf.sharing.errors import NameRefusedError
from festaf.sharing.names import version_identity


@dataclass(frozen=True)
class Reader:
    """Finds packages and versions for one who sees only some; what is hidden is as if it did not exist."""

    packages: PackageRepository
    sight: Sight

    def package(self, namespace: str, name: str) -> PackageTable:
        """Give a package.

        :raises NotFoundError: there is none, or it may not be seen
        """
        found = self.packages.find(namespace, name) if self.sight.sees(namespace) else None
        if found is None:
            raise NotFoundError(f"there is no package {namespace}/{name}")
        return found

    def version(
        self, namespace: str, name: str, version: str, *, whole: bool = False, deleted: bool = False
    ) -> tuple[PackageTable, PackageVersionTable]:
        """Give a version with its package.

        :param whole: with its manifest and what was seen in it
        :param deleted: give also what is left of a deleted one

        :raises NotFoundError: there is none, or it may not be seen
        :raises GoneError: it was deleted
        """
        package = self.package(namespace, name)
        try:
            found = self.packages.version(package.id, version_identity(version), whole=whole)
        except NameRefusedError:
            found = None
        if found is None or found.version != version:
            raise NotFoundError(f"the package {namespace}/{name} has no version {version}")
        if found.state == "deleted" and not deleted:
            raise GoneError(f"{namespace}/{name} {version} was deleted; this version will never come back")
        return package, found

    def content(
        self, namespace: str, name: str, version: str, *, whole: bool = False
    ) -> tuple[PackageTable, PackageVersionTable]:
        """Give a version whose files may be looked at.

        :raises NotFoundError: there is none, or it may not be seen
        :raises GoneError: it was deleted
        :raises QuarantinedError: nobody may look at it
        """
        package, found = self.version(namespace, name, version, whole=whole)
        if found.state == "quarantined":
            raise QuarantinedError(f"{namespace}/{name} {version} is quarantined: {found.reason}")
        return package, found


def who(caller: Caller) -> str:
    """Name a caller for good."""
    return f"{caller.kind}/{caller.name}"
