"""Take an archive in: it waits, staged, until it is published. Other bytes in its place void what was said of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag_package import Finding, Manifest, PackageVersion
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.dag_packages.blobs import BlobStore
from festaf.registry_api.dag_packages.facts import facts_of
from festaf.registry_api.dag_packages.finding import Reader, who
from festaf.registry_api.dag_packages.judging import Judged
from festaf.registry_api.dag_packages.names import refuse_alike
from festaf.registry_api.dag_packages.namespaces import NamespaceService, require_namespace
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.shown import VersionView
from festaf.registry_api.dag_packages.tables import PackageTable, PackageVersionTable
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ConflictError, ServiceError, UnprocessableError
from festaf.sharing.names import look_alike_key, version_identity

ROOM = 3
BLOBS = "dag-package-blobs"
"""Who removes a blob that is nobody's, and who makes it somebody's, wait for each other."""


class Staging:
    """Stages archives of one caller."""

    def __init__(self, session: Session, caller: Caller, now: datetime, blobs: BlobStore) -> None:
        self.session = session
        self.blobs = blobs
        self.caller = caller
        self.now = now
        self.packages = PackageRepository(session)
        self.namespaces = NamespaceService(session)
        self.replaced: str | None = None
        """The hash of the bytes that others took the place of."""

    def standing(self, namespace: str, name: str, version: str, digest: str) -> bool:
        """Tell whether these bytes stand already, so that they need no second look.

        :raises ConflictError: other bytes stand there for good
        """
        package = self.packages.find(namespace, name)
        row = self.packages.version(package.id, version_identity(version)) if package else None
        if row is None:
            return False
        if (reason := _refusal(row, version, digest)) is not None:
            raise reason
        return row.digest == digest

    def check(self, manifest: Manifest, size: int, *, alike_allowed: bool) -> None:
        """Make sure that a version may be staged, before anything is kept of it.

        :raises ServiceError: it may not
        """
        namespace, name = manifest.namespace, manifest.name
        require_namespace(namespace)
        rules = self.namespaces.settings(namespace)
        package = self.packages.find(namespace, name)
        if package is None:
            refuse_alike(self.packages, self.caller, namespace, name, allowed=alike_allowed)
            if self.namespaces.namespaces.packages(namespace) >= rules.max_packages:
                raise ConflictError(f"the namespace {namespace!r} may have {rules.max_packages} packages, and has them")
        row = self.packages.version(package.id, version_identity(manifest.version)) if package else None
        used = self.namespaces.namespaces.bytes(namespace) - (row.size if row and row.state != "deleted" else 0)
        if used + size > rules.max_bytes:
            raise ConflictError(
                f"the namespace {namespace!r} may keep {rules.max_bytes} bytes: {used} are used, and this needs {size}"
            )
        self._check_ancestor(manifest)

    def stage(self, judged: Judged, *, alike_allowed: bool, origin: str | None = None) -> tuple[PackageVersion, bool]:
        """Stage an archive whose blob is kept; tell whether it is new. The same bytes again change nothing.

        :raises ServiceError: it may not be staged
        """
        manifest, digest = judged.manifest, judged.archive.digest
        namespace, name, version = manifest.namespace, manifest.name, manifest.version
        lock(self.session, [room_of(namespace), BLOBS], room=ROOM)
        known = self.standing(namespace, name, version, digest)
        if not known:
            self.check(manifest, judged.archive.size, alike_allowed=alike_allowed)
        if self.caller.writes.everything:
            ProjectService(self.session, self.now).ensure([namespace], self.caller.name)
        package = self.packages.find(namespace, name) or self._make_package(namespace, name)
        row = self.packages.version(package.id, version_identity(version))
        if row is None or not known:
            row = self._put(package, row, judged, origin)
        if row.state == "staged":
            self.packages.note_upload(row.id, digest, who(self.caller), self.now)
        if not self.blobs.has(digest):  # Somebody removed it as nobody's, after it was put and before the lock.
            self.blobs.put(digest, judged.data)
        return self.view(package, row.identity), not known

    def view(self, package: PackageTable, identity: str) -> PackageVersion:
        """Show a version that stands."""
        row = self.packages.version(package.id, identity, whole=True)
        assert row is not None
        rules = self.namespaces.settings(package.namespace)
        return VersionView(self.packages, rules, self.now).whole(package, row)

    def _make_package(self, namespace: str, name: str) -> PackageTable:
        package = PackageTable(
            namespace=namespace,
            name=name,
            look_alike=look_alike_key(name),
            created_at=self.now,
            created_by=who(self.caller),
        )
        self.packages.add(package)
        return package

    def _put(
        self, package: PackageTable, row: PackageVersionTable | None, judged: Judged, origin: str | None
    ) -> PackageVersionTable:
        manifest, before = judged.manifest, row.digest if row else None
        if row is None:
            row = PackageVersionTable(
                package_id=package.id, version=manifest.version, identity=version_identity(manifest.version)
            )
        row.state, row.reason = "staged", None
        row.digest, row.size, row.origin = judged.archive.digest, judged.archive.size, origin
        row.uploaded_at, row.uploaded_by = self.now, who(self.caller)
        row.summary, row.maturity = manifest.summary, manifest.maturity
        row.airflow = manifest.requires.airflow or ""
        ancestor = manifest.ancestor
        row.ancestor_namespace = ancestor.namespace if ancestor else None
        row.ancestor_name = ancestor.name if ancestor else None
        row.ancestor_version = ancestor.version if ancestor else None
        row.ancestor_digest = ancestor.digest if ancestor else None
        row.manifest = manifest.model_dump(mode="json", exclude_defaults=True)
        row.inspection = [file.model_dump(mode="json", exclude_defaults=True) for file in judged.inspection]
        found = (*judged.findings, *self._taken_dag_ids(package, judged))
        row.findings = [finding.model_dump(mode="json", exclude_defaults=True) for finding in found]
        self.packages.add(row)
        if before is not None:
            self.replaced = before
            self.packages.forget_review(row.id)
        self.packages.put_facts(row.id, facts_of(manifest, judged.inspection))
        entity = f"{package.namespace}/{package.name}/{row.version}"
        note(self.session, "dag_package.stage", entity, before=before, after=row.digest)
        return row

    def _taken_dag_ids(self, package: PackageTable, judged: Judged) -> list[Finding]:
        """Say which ids of DAGs other packages have: Airflow lets the last one that it reads win, silently."""
        ids = {dag.dag_id for file in judged.inspection for dag in file.dags if dag.dag_id}
        ancestor = judged.manifest.ancestor
        forked = (ancestor.namespace, ancestor.name) if ancestor else None
        return [
            Finding(
                rule="dag-id-taken",
                severity="warning",
                message=f"the DAG {dag_id!r} is also in {namespace}/{name}; an Airflow can hold only one of the two",
            )
            for dag_id, namespace, name in self.packages.holders(ids, self.caller.sight, package.id)
            if (namespace, name) != forked
        ]

    def _check_ancestor(self, manifest: Manifest) -> None:
        """Make sure that a fork is one of what it names; what another registry holds cannot be looked at."""
        ancestor = manifest.ancestor
        if ancestor is None or ancestor.registry is not None:
            return
        reader = Reader(self.packages, self.caller.sight)
        try:
            _, row = reader.version(ancestor.namespace, ancestor.name, ancestor.version)
        except ServiceError as error:
            raise UnprocessableError(f"the ancestor cannot be found: {error.detail}") from error
        if row.digest != ancestor.digest:
            raise UnprocessableError(
                f"the ancestor {ancestor.namespace}/{ancestor.name} {ancestor.version} has another digest than the "
                "manifest says"
            )


def room_of(namespace: str) -> str:
    """Name what one locks to work on a namespace alone."""
    return f"dag-packages:{namespace}"


def _refusal(row: PackageVersionTable, version: str, digest: str) -> ServiceError | None:
    """Say why these bytes cannot be a version any more."""
    if row.state == "deleted":
        return ConflictError(f"the version {row.version} was deleted; take another one, it will never be free again")
    if row.version != version:
        return ConflictError(f"{version} counts as the same version as {row.version}, which stands already")
    if row.digest != digest and row.state != "staged":
        return ConflictError(
            f"the version {version} is {row.state} with other bytes ({row.digest}); it never changes, take the next one"
        )
    return None
