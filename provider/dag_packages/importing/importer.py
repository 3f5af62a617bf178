"""Import, upgrade, roll back and remove packages: everything is checked first, and then one file is replaced.

A plan is made by reading alone. Applying it writes the lock file, which the bundles follow; so a process killed before
that has changed nothing, one killed after it has changed everything, and the same import again changes nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.client.errors import RefusedError
from festaf.provider.dag_packages.errors import LockError, PackageError, TargetError, UntrustedPackageError
from festaf.provider.dag_packages.importing.choice import Reference, choose, parameters, renames
from festaf.provider.dag_packages.importing.lack import Lack, lacking
from festaf.provider.dag_packages.importing.lock import LockedPackage, LockedVersion, PinnedKey, editing, read_lock
from festaf.provider.dag_packages.importing.verification import signer
from festaf.sharing.archive import open_archive
from festaf.sharing.errors import SharingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import Manifest, PackageDiff, PackageParameter, PackageVersion, PublisherKey
    from festaf.provider.dag_packages.importing.lack import Target
    from festaf.provider.dag_packages.importing.lock import Lock
    from festaf.sharing.archive import Archive


@dataclass(frozen=True)
class Wish:
    """What an importer wants besides the package.

    :param chosen: values of parameters, by name
    :param bundle: Airflow's name for the bundle; without it, the one from before or ``<namespace>-<name>``
    :param cooling: take a version that was published so lately that few have looked at it
    :param trust: id of a key to trust besides those that are pinned
    :param lacking: go on although something is lacking; DAG ids that clash are never passed over
    :param renamed: the ids that DAGs are to have here, by those of their author
    """

    chosen: Mapping[str, Any]
    bundle: str | None = None
    cooling: bool = False
    trust: str | None = None
    lacking: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """An import that was checked and not made yet."""

    package: LockedPackage
    before: LockedPackage | None
    manifest: Manifest
    pins: tuple[PinnedKey, ...]
    """Keys that will be trusted from now on."""
    lacking: tuple[Lack, ...]
    diff: PackageDiff | None = None
    """What differs from the version in use; None when there is none, or the registry cannot compare them any more."""

    @property
    def changes_nothing(self) -> bool:
        """Tell whether this very version with these very choices is in use."""
        before = self.before
        return (
            before is not None
            and not self.pins
            and (
                before.model_copy(update={"since": self.package.since, "history": self.package.history}) == self.package
            )
        )


class Importer:
    """Imports into one Airflow from one registry.

    :param lock_path: the lock file
    :param target: the Airflow
    """

    def __init__(
        self,
        client: DagPackageClient,
        lock_path: Path,
        target: Target,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client = client
        self.lock_path = lock_path
        self.target = target
        self.clock = clock

    def plan(self, reference: Reference, wish: Wish) -> Plan:
        """Check everything, and change nothing.

        :raises TargetError: this Airflow lacks something, and the wish does not pass over it; it names all of it
        :raises UntrustedPackageError: digest, signature, or the rules of the registry say no
        :raises PackageError: there is no such version
        :raises RegistryError: the registry does not answer or refuses
        """
        lock = read_lock(self.lock_path)
        before = lock.find(f"{reference.namespace}/{reference.name}")
        if before is not None and before.registry != self.client.url:
            raise UntrustedPackageError(
                f"{before.package} was imported from {before.registry}; {self.client.url} may have another one of that "
                f"name. To change over, remove it first: festaf dag remove {before.package}"
            )
        package = self.client.package(reference.namespace, reference.name)
        summary = choose(package, reference, self.clock(), cooling=wish.cooling)
        found = self.client.version(reference.namespace, reference.name, summary.version)
        key, pins = self._trusted(found, lock, before, wish)
        archive = self._proven(found)
        manifest = archive.manifest
        locked = self._locked(found, manifest, key, before, wish)
        _check_renaming(locked, archive)
        lock.with_package(locked)
        missing = lacking(locked, self.target)
        blocking = [lack for lack in missing if lack.kind == "dag_id" or (lack.kind != "unknown" and not wish.lacking)]
        if blocking:
            raise TargetError(_told(locked, blocking), missing)
        return Plan(locked, before, manifest, pins, missing, self._diff(before, found))

    def asked(self, reference: Reference, wish: Wish) -> tuple[PackageParameter, ...]:
        """Give the parameters that have to be chosen and are not, as the registry says; nothing is checked yet."""
        before = read_lock(self.lock_path).find(f"{reference.namespace}/{reference.name}")
        known = {**(before.parameters if before else {}), **wish.chosen}
        package = self.client.package(reference.namespace, reference.name)
        summary = choose(package, reference, self.clock(), cooling=wish.cooling)
        manifest = self.client.version(reference.namespace, reference.name, summary.version).manifest
        return tuple(found for found in manifest.parameters if found.required and found.name not in known)

    def apply(self, plan: Plan) -> LockedPackage:
        """Make an import.

        :raises LockError: somebody changed the package's entry meanwhile
        """
        with editing(self.lock_path) as edit:
            standing = edit.lock.find(plan.package.package)
            if plan.changes_nothing and standing == plan.before and standing is not None:
                return standing
            if standing != plan.before:
                raise LockError(f"{plan.package.package} was changed by somebody else meanwhile; look, and try again")
            edit.write(edit.lock.with_keys(plan.pins).with_package(plan.package))
        return plan.package

    def _locked(
        self, found: PackageVersion, manifest: Manifest, key: str | None, before: LockedPackage | None, wish: Wish
    ) -> LockedPackage:
        own = [dag.dag_id for dag in manifest.dags if dag.dag_id is not None]
        renamed = renames(own, wish.renamed, before.renamed if before else {})
        version = LockedVersion(
            version=found.version,
            digest=found.digest,
            key_id=key,
            dag_ids=tuple(sorted(renamed.get(dag_id, dag_id) for dag_id in own)),
            renamed=renamed,
            requires=manifest.requires,
            needs=manifest.needs,
            parameters=parameters(manifest.parameters, wish.chosen, before.parameters if before else {}),
            since=self.clock(),
        )
        if before is not None and before.digest != version.digest:
            return before.followed_by(version).model_copy(update={"bundle": wish.bundle or before.bundle})
        return LockedPackage(
            **dict(version),
            registry=self.client.url,
            namespace=found.namespace,
            name=found.name,
            bundle=wish.bundle or (before.bundle if before else f"{found.namespace}-{found.name}"),
            history=before.history if before else (),
        )

    def _diff(self, before: LockedPackage | None, found: PackageVersion) -> PackageDiff | None:
        if before is None or before.digest == found.digest:
            return None
        package = (found.namespace, found.name)
        try:
            return self.client.diff((*package, before.version), (*package, found.version))
        except RefusedError:
            return None

    def _proven(self, found: PackageVersion) -> Archive:
        """Get the archive, and believe only what stands in it."""
        data = self.client.archive(found.namespace, found.name, found.version, found.digest)
        try:
            archive = open_archive(data)
        except SharingError as error:
            raise UntrustedPackageError(f"The archive of {found.namespace}/{found.name} is refused: {error}") from error
        manifest = archive.manifest
        if (manifest.namespace, manifest.name, manifest.version) != (found.namespace, found.name, found.version):
            raise UntrustedPackageError(
                f"The archive says that it is {manifest.namespace}/{manifest.name} {manifest.version}, and the "
                f"registry gave it as {found.namespace}/{found.name} {found.version}"
            )
        return archive

    def _trusted(
        self, found: PackageVersion, lock: Lock, before: LockedPackage | None, wish: Wish
    ) -> tuple[str | None, tuple[PinnedKey, ...]]:
        """Find who signed; at the first import of a namespace, its keys are trusted as the registry gives them."""
        pinned = lock.keys_of(self.client.url, found.namespace)
        offered: tuple[PublisherKey, ...] = ()
        if found.signatures and (not pinned or wish.trust):
            offered = tuple(key for key in self.client.keys(found.namespace) if key.revoked_at is None)
        if wish.trust:
            offered = tuple(key for key in offered if key.key_id == wish.trust)
            if not offered:
                raise UntrustedPackageError(
                    f"{wish.trust} is no key of {found.namespace} in force at {self.client.url}"
                )
        key = signer(found, (*pinned, *offered), required=bool(wish.trust or (before and before.key_id)))
        known = {pin.key_id for pin in pinned}
        pins = tuple(
            PinnedKey(registry=self.client.url, namespace=found.namespace, key=one)
            for one in offered
            if one.key_id == key and one.key_id not in known
        )
        return key, pins


def roll_back(lock_path: Path, package: str, to: str | None, now: datetime) -> tuple[LockedPackage, LockedPackage]:
    """Use again what was in use before; give what was and what is. It needs no registry.

    :param to: the version; without it, the last one before
    :raises PackageError: there is no such package or no such version in its history
    """
    with editing(lock_path) as edit:
        before = edit.lock.find(package)
        if before is None:
            raise PackageError(_unknown(package, edit.lock))
        past = next((found for found in before.history if to is None or found.version == to), None)
        if past is None:
            there = ", ".join(found.version for found in before.history) or "nothing"
            raise PackageError(f"{package} cannot go back to {to or 'anything'}; before {before.version} was {there}")
        after = before.followed_by(past.model_copy(update={"since": now}))
        edit.write(edit.lock.with_package(after))
    return before, after


def remove(lock_path: Path, package: str) -> LockedPackage:
    """Use a package no more; its DAGs go when Airflow looks at the bundle next.

    :raises PackageError: there is no such package
    """
    with editing(lock_path) as edit:
        before = edit.lock.find(package)
        if before is None:
            raise PackageError(_unknown(package, edit.lock))
        edit.write(edit.lock.without(package))
    return before


def _check_renaming(package: LockedPackage, archive: Archive) -> None:
    """Refuse to rename a DAG whose file asks which DAG is wanted: it would make none under the name from here."""
    asking = [path for path, data in archive.files.items() if path.endswith(".py") and b"get_parsing_context" in data]
    if package.renamed and asking:
        raise TargetError(
            f"The DAGs of {package.package} cannot be renamed: {asking[0]} asks Airflow which DAG is wanted "
            f"(get_parsing_context) and knows only its own names. Fork it: festaf dag fork {package.package}"
        )


def _unknown(package: str, lock: Lock) -> str:
    there = ", ".join(found.package for found in lock.packages) or "none"
    return f"{package} is not imported here; these are: {there}"


def _told(package: LockedPackage, lacks: list[Lack]) -> str:
    lines = "\n".join(f"  - {lack.reason}\n      {lack.remedy}" for lack in lacks)
    return (
        f"{package.package} {package.version} cannot run here yet; nothing was changed. "
        f"What is lacking or in the way:\n{lines}"
    )
