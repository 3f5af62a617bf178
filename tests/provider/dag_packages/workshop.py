"""A registry of packages as a process, and a hand that publishes and imports there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.contract.dag_package import SignedStatement
from festaf.provider.dag_packages.importing.choice import Reference
from festaf.provider.dag_packages.importing.importer import Importer, Wish
from festaf.sharing.archive import digest_of
from festaf.sharing.signature import new_key, public_key, sign
from tests.sharing.packages import FILES, archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from festaf.client.dag_packages import DagPackageClient
    from festaf.provider.dag_packages.importing.importer import Plan
    from festaf.provider.dag_packages.importing.lock import LockedPackage


@dataclass
class Room:
    """A target that has whatever a test gives it; everything else is there by default."""

    airflow: str = "3.3.2"
    python: str = "3.11.7"
    installed: dict[str, str] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    pools: set[str] | None = field(default_factory=set)
    bundles: dict[str, str] = field(default_factory=dict)

    def distribution(self, name: str) -> str | None:
        return self.installed.get(name)

    def has_plugin(self, name: str) -> bool | None:
        return False

    def has_connection(self, conn_id: str) -> bool | None:
        return conn_id in self.connections

    def has_variable(self, key: str) -> bool | None:
        return key in self.variables

    def has_pool(self, name: str) -> bool | None:
        return None if self.pools is None else name in self.pools

    def has_environment(self, name: str) -> bool | None:
        return False

    def bundle_of(self, dag_id: str) -> str | None:
        return self.bundles.get(dag_id)


@dataclass
class Workshop:
    """Publishes as one person and imports as another, over real HTTP; each test has a namespace of its own."""

    client: DagPackageClient
    namespace: str
    lock: Path
    room: Room = field(default_factory=Room)
    moment: datetime = datetime(2026, 11, 26, 12, tzinfo=UTC)

    @property
    def package(self) -> str:
        return f"{self.namespace}/sales"

    def publish(
        self,
        version: str = "1.4.0",
        *,
        files: Mapping[str, bytes] | None = None,
        key: Ed25519PrivateKey | None = None,
        **changes: Any,
    ) -> str:
        """Publish a version of the package, and give its digest."""
        given = {**FILES, "version.txt": version.encode(), **(files or {})}
        data = archive(given, namespace=self.namespace, version=version, **changes)
        digest = digest_of(data)
        self.client.stage(self.namespace, "sales", version, data)
        if key is not None:
            self.client.put_key(self.namespace, public_key(key, "the team"))
            said = SignedStatement(
                namespace=self.namespace, name="sales", version=version, digest=digest, size=len(data)
            )
            self.client.sign(self.namespace, "sales", version, sign(said, key))
        self.client.publish(self.namespace, "sales", version, digest)
        return digest

    def plan(self, wanted: str = "", **wish: Any) -> Plan:
        said = Wish(**{"chosen": {}, **wish})
        importer = Importer(self.client, self.lock, self.room, lambda: self.moment)
        return importer.plan(Reference.parse(f"{self.package}@{wanted}" if wanted else self.package), said)

    def take(self, wanted: str = "", **wish: Any) -> LockedPackage:
        importer = Importer(self.client, self.lock, self.room, lambda: self.moment)
        return importer.apply(self.plan(wanted, **wish))


KEY = new_key()
