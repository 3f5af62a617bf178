"""The SQL of changes: who asks again learns only what is new, in an order that never changes.

A number is given and becomes visible in one order, since those who write one wait for each other: nobody who has seen
the number 7 finds a 6 later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dag_packages.tables import PackageChangeTable, PackageTable, PackageVersionTable
from festaf.registry_api.database import lock

ROOM = 4
"""The locks of changes are taken last of all."""


class ChangeRepository:
    """Changes of versions' states."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, package: PackageTable, version: PackageVersionTable, now: datetime) -> None:
        """Tell that a version is of its state from now on."""
        lock(self.session, ["dag-package-changes"], room=ROOM)
        self.session.add(
            PackageChangeTable(
                namespace=package.namespace,
                name=package.name,
                version=version.version,
                state=version.state,
                digest=version.digest,
                at=now,
            )
        )
        self.session.flush()

    def newest(self, sight: Sight) -> int:
        """Give the number of the newest change that one sees; 0 when there is none."""
        return self.session.scalar(select(func.max(PackageChangeTable.sequence)).where(_seen(sight))) or 0

    def since(self, sight: Sight, sequence: int, limit: int) -> Sequence[PackageChangeTable]:
        """Give the changes after a number that one sees, in order."""
        query = (
            select(PackageChangeTable)
            .where(PackageChangeTable.sequence > sequence, _seen(sight))
            .order_by(PackageChangeTable.sequence)
            .limit(limit)
        )
        return self.session.scalars(query).all()


def _seen(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.projects is None else PackageChangeTable.namespace.in_(sorted(sight.projects))
