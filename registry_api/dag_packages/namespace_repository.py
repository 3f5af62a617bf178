"""The SQL of namespaces' rules, publishers' keys and quotas."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from festaf.registry_api.dag_packages.tables import (
    PackageRulesTable,
    PackageTable,
    PackageVersionTable,
    PublisherKeyTable,
)


class NamespaceRepository:
    """Rules and keys."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def rules(self, namespace: str) -> PackageRulesTable | None:
        """Find the rules of a namespace."""
        return self.session.get(PackageRulesTable, namespace)

    def keep_rules(self, row: PackageRulesTable) -> None:
        """Store rules in place of those that stand."""
        self.session.merge(row)
        self.session.flush()

    def keys(self, namespace: str) -> Sequence[PublisherKeyTable]:
        """List the keys of a namespace, the oldest first."""
        query = select(PublisherKeyTable).where(PublisherKeyTable.namespace == namespace)
        return self.session.scalars(query.order_by(PublisherKeyTable.added_at, PublisherKeyTable.key_id)).all()

    def key(self, namespace: str, key_id: str) -> PublisherKeyTable | None:
        """Find a key."""
        return self.session.get(PublisherKeyTable, (namespace, key_id))

    def add_key(self, row: PublisherKeyTable) -> None:
        """Store a key."""
        self.session.add(row)
        self.session.flush()

    def packages(self, namespace: str) -> int:
        """Count the packages of a namespace, also those whose versions are all deleted."""
        query = select(func.count()).select_from(PackageTable).where(PackageTable.namespace == namespace)
        return self.session.scalar(query) or 0

    def bytes(self, namespace: str) -> int:
        """Give how large the archives of a namespace are together."""
        query = (
            select(func.sum(PackageVersionTable.size))
            .join(PackageTable, PackageTable.id == PackageVersionTable.package_id)
            .where(PackageTable.namespace == namespace, PackageVersionTable.state != "deleted")
        )
        return int(self.session.scalar(query) or 0)
