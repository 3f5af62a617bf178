"""DAGs and their versions, as the registry knows them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import model_validator

from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.secrets import with_masked


class Dag(Model):
    """A DAG of one Airflow; ``namespace`` is the OpenLineage namespace under which that Airflow reports."""

    namespace: str
    dag_id: str
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str | None = None
    schedule: str | None = None
    next_run: Moment | None = None
    paused: bool | None = None
    """None when no Airflow was asked."""
    deleted: bool = False
    """True when Airflow no longer has the DAG."""
    first_seen: Moment
    last_seen: Moment


class DagVersion(Model):
    """One content of a DAG: the text of its file with Airflow's id and number of the version, as far as known."""

    namespace: str
    dag_id: str
    id: UUID | None = None
    """Airflow's id; Airflow keeps it when only the text of a function changes, so two contents may share it."""
    number: int | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    path: str | None = None
    """Path of the DAG file inside its bundle."""
    source: str | None = None
    source_sha256: Sha256 | None = None
    first_seen: Moment
    last_seen: Moment
    masked: int = 0
    """In how many places the text held a secret that the registry masked."""

    @model_validator(mode="before")
    @classmethod
    def _count(cls, data: Any) -> Any:
        return with_masked(data, "source")
