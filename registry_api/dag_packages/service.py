"""Answer questions about packages and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag_package import (
    Ancestor,
    Package,
    PackageChange,
    PackageChanges,
    PackageVersion,
)
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.change_repository import ChangeRepository
from festaf.registry_api.dag_packages.finding import Reader
from festaf.registry_api.dag_packages.namespaces import NamespaceService
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.shown import VersionView, ancestor_of, latest_of, newest_first
from festaf.registry_api.dag_packages.tables import PackageTable, PackageVersionTable

MOST_CHANGES = 1_000


class PackageService:
    """Packages, as far as one sees them."""

    def __init__(self, session: Session, sight: Sight, now: datetime) -> None:
        self.session = session
        self.sight = sight
        self.now = now
        self.packages = PackageRepository(session)
        self.reader = Reader(self.packages, sight)

    def package(self, namespace: str, name: str) -> Package:
        """Give a package with its versions.

        :raises NotFoundError: there is none, or it may not be seen
        """
        package = self.reader.package(namespace, name)
        rows = self.packages.versions(package.id)
        latest = latest_of(rows)
        shown = latest or next(iter(newest_first(row for row in rows if row.state != "deleted")), None)
        versions = self._view(namespace).summaries(rows)
        owners = self.packages.values(shown.id, "owner") if shown else ()
        return Package(
            namespace=namespace,
            name=name,
            summary=shown.summary if shown else "",
            latest=latest.version if latest else None,
            versions=versions,
            owners=tuple(owners),
            forked_from=self._forked_from(package, rows),
            forks=self._forks(package),
            downloads=sum(version.downloads for version in versions),
        )

    def version(self, namespace: str, name: str, version: str) -> PackageVersion:
        """Give a version.

        :raises NotFoundError: there is none, or it may not be seen
        :raises GoneError: it was deleted
        """
        package, row = self.reader.version(namespace, name, version, whole=True)
        return self._view(namespace).whole(package, row)

    def changes(self, since: int) -> PackageChanges:
        """Give what happened after a number."""
        found = ChangeRepository(self.session).since(self.sight, since, MOST_CHANGES + 1)
        shown = found[:MOST_CHANGES]
        return PackageChanges(
            sequence=shown[-1].sequence if shown else since,
            changes=tuple(
                PackageChange(
                    sequence=row.sequence,
                    namespace=row.namespace,
                    name=row.name,
                    version=row.version,
                    state=row.state,
                    digest=row.digest,
                )
                for row in shown
            ),
            more=len(found) > MOST_CHANGES,
        )

    def _view(self, namespace: str) -> VersionView:
        return VersionView(self.packages, NamespaceService(self.session).settings(namespace), self.now)

    def _forked_from(self, package: PackageTable, rows: Sequence[PackageVersionTable]) -> Ancestor | None:
        """Give what the newest version was made from, if that is another package which one sees."""
        for row in newest_first(rows):
            found = ancestor_of(row)
            other = found is not None and (found.namespace, found.name) != (package.namespace, package.name)
            if found is not None and other and row.state != "deleted":
                return found if self.sight.sees(found.namespace) else None
        return None

    def _forks(self, package: PackageTable) -> tuple[Ancestor, ...]:
        """Give the newest version of each package that was made from this one."""
        newest: dict[int, tuple[PackageTable, PackageVersionTable]] = {}
        for fork, row in self.packages.forks(package.namespace, package.name, self.sight):
            if fork.id != package.id:
                newest[fork.id] = (fork, row)
        return tuple(
            Ancestor(namespace=fork.namespace, name=fork.name, version=row.version, digest=row.digest)
            for fork, row in newest.values()
        )
