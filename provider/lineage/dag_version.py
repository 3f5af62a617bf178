"""The number of a DAG version, which only Airflow's database knows: asked by primary key, once per version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

KEPT = 1_000


@dataclass(frozen=True)
class DagVersion:
    """What does not change of a DAG version. Its bundle version does: Airflow rewrites it in place."""

    number: int | None = None
    bundle_name: str | None = None


class DagVersions:
    """The versions that this process has met."""

    def __init__(self) -> None:
        self._known: dict[UUID, DagVersion] = {}

    def of(self, dag_run: Any) -> DagVersion:
        """Give the version that a DAG run was created with; an empty one when it cannot be asked for."""
        version_id = vars(dag_run).get("created_dag_version_id")
        if version_id is None:
            return DagVersion()
        if version_id not in self._known:
            found = _ask(dag_run, version_id)
            if found is None:
                return DagVersion()
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[version_id] = found
        return self._known[version_id]


def _ask(dag_run: Any, version_id: UUID) -> DagVersion | None:
    """Select two columns in the session that the DAG run lives in, without flushing what Airflow has pending there."""
    from airflow.models.dag_version import DagVersion as Table
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return None
    with session.no_autoflush:
        row = session.execute(
            select(Table.version_number, Table.bundle_name).where(Table.id == version_id)
        ).one_or_none()
    return DagVersion(row.version_number, row.bundle_name) if row else None
