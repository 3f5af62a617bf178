"""The lock file: which packages this Airflow runs, by digest, whose keys it trusts, and what the importer chose.

Whatever changes it does so as a whole: it is read, checked and replaced by one rename under a file lock, so that a
process killed at any moment leaves the old file or the new one. Bundles read it; nothing but ``festaf dag`` writes it.
"""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from festaf.contract.dag_package import Needs, PublisherKey, Requires
from festaf.contract.model import Model, Moment, Sha256
from festaf.provider.dag_packages.disk import leftovers, replace
from festaf.provider.dag_packages.errors import LockError
from festaf.sharing.names import bundle_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HISTORY = 20
"""How many versions that were in use are remembered."""
LARGEST = 64 * 2**20
"""Bytes; a lock of a thousand packages has about two million."""


class PinnedKey(Model):
    """A key that this Airflow trusts to sign for a namespace of a registry."""

    registry: str
    namespace: str
    key: PublisherKey


class LockedVersion(Model):
    """A version, with all that is needed to use it."""

    version: str
    digest: Sha256
    key_id: str | None = None
    """Whose signature was found; None when nobody signed it."""
    dag_ids: tuple[str, ...] = ()
    """The ids that its DAGs have here; no other bundle may define them."""
    renamed: dict[str, str] = Field(default_factory=dict)
    """The id that a DAG has here, by the one that its author gave it; without those that kept theirs."""
    requires: Requires = Requires()
    needs: Needs = Needs()
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What the importer chose, by name."""
    since: Moment
    """When it was chosen."""

    @property
    def bundle_version(self) -> str:
        """Give the version as Airflow is told it."""
        return bundle_version(self.version, self.digest)


class LockedPackage(LockedVersion):
    """A package in use."""

    registry: str
    """URL of the registry that it came from; it is never asked for elsewhere."""
    namespace: str
    name: str
    bundle: str
    """Airflow's bundle that runs it."""
    history: tuple[LockedVersion, ...] = Field(default=(), max_length=HISTORY)
    """What was in use before, the newest first."""

    @property
    def package(self) -> str:
        """Give ``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def versions(self) -> tuple[LockedVersion, ...]:
        """Give the version in use and those before, which runs under way are still of."""
        return (self, *self.history)

    def followed_by(self, version: LockedVersion) -> LockedPackage:
        """Give the package at another version; this one becomes the newest of its history."""
        past = LockedVersion.model_validate({name: getattr(self, name) for name in LockedVersion.model_fields})
        others = (found for found in self.history if found.digest not in {self.digest, version.digest})
        history = (past, *others)[:HISTORY]
        return self.model_copy(update={**dict(version), "history": history})


class Lock(Model):
    """What the file says."""

    lock_version: Literal[1] = 1
    trusted: tuple[PinnedKey, ...] = ()
    packages: tuple[LockedPackage, ...] = ()

    @model_validator(mode="after")
    def _contradicts_itself(self) -> Self:
        for what, names in (
            ("package", [found.package for found in self.packages]),
            ("bundle", [found.bundle for found in self.packages]),
            ("DAG", [dag_id for found in self.packages for dag_id in found.dag_ids]),
        ):
            twice = sorted(name for name, count in Counter(names).items() if count > 1)
            if twice:
                raise ValueError(f"the {what} {twice[0]!r} stands there twice")
        return self

    def find(self, package: str) -> LockedPackage | None:
        """Give a package by ``namespace/name``."""
        return self._by_name.get(package)

    @cached_property
    def _by_name(self) -> dict[str, LockedPackage]:
        """Give all by their names: each bundle of a process asks for its own at each refresh."""
        return {found.package: found for found in self.packages}

    def keys_of(self, registry: str, namespace: str) -> tuple[PublisherKey, ...]:
        """Give the keys that may sign for a namespace."""
        return tuple(pin.key for pin in self.trusted if (pin.registry, pin.namespace) == (registry, namespace))

    def with_package(self, package: LockedPackage) -> Lock:
        """Give a lock with the package in place of the one of its name."""
        others = (found for found in self.packages if found.package != package.package)
        return self._with(packages=tuple(sorted((*others, package), key=lambda found: found.package)))

    def without(self, package: str) -> Lock:
        """Give a lock without a package."""
        return self._with(packages=tuple(found for found in self.packages if found.package != package))

    def with_keys(self, pins: tuple[PinnedKey, ...]) -> Lock:
        """Give a lock that trusts these keys, too."""
        known = {(pin.registry, pin.namespace, pin.key.key_id): pin for pin in (*self.trusted, *pins)}
        return self._with(trusted=tuple(pin for _, pin in sorted(known.items())))

    def _with(self, **changed: object) -> Lock:
        """Check the whole again; a lock that contradicts itself is never made."""
        try:
            return Lock.model_validate({**dict(self), **changed})
        except ValidationError as error:
            raise LockError(f"This cannot be locked: {_first(error)}") from error


def read_lock(path: Path) -> Lock:
    """Read the file; one that is not there says nothing.

    :raises LockError: it cannot be read, or contradicts itself
    """
    try:
        if path.stat().st_size > LARGEST:
            raise LockError(f"The lock file {path} is larger than {LARGEST} bytes; it was not written by festaf")
        text = path.read_bytes()
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise LockError(f"The lock file {path} cannot be read: {error.strerror}") from error
    try:
        return Lock.model_validate_json(text)
    except ValidationError as error:
        raise LockError(
            f"The lock file {path} is not as festaf writes it: {_first(error)}. Take it from your backup or your "
            "repository; 'festaf dag import' makes a new one when there is none"
        ) from error


@contextmanager
def editing(path: Path) -> Iterator[LockEdit]:
    """Open the file for a change that nobody else makes at the same time.

    :raises LockError: it cannot be read or written
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.editing").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield LockEdit(path)
    except OSError as error:
        raise LockError(f"The lock file {path} cannot be written: {error.strerror}") from error


class LockEdit:
    """A lock file that only this process changes now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = read_lock(path)

    def write(self, lock: Lock) -> None:
        """Put a lock in place of the old one, as a whole."""
        text = json.dumps(lock.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
        for unfinished in leftovers(self.path):
            unfinished.unlink(missing_ok=True)
        replace(self.path, text.encode())
        self.lock = lock


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else str(found["msg"])
