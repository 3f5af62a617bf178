"""``/dags`` with their versions and code, and ``/runs``."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from festaf.contract.dag import Dag, DagVersion
from festaf.contract.http import Page
from festaf.contract.run import RunRecord
from festaf.registry_api.dags.record import run_record
from festaf.registry_api.dags.service import DagService
from festaf.registry_api.edge import Cursor, Limit, Reader, Reading

router = APIRouter(tags=["dags"])
Namespace = Annotated[str | None, Query(max_length=2000, description="Of one Airflow only")]


@router.get("/dags", summary="List DAGs")
def get_dags(
    _: Reader, session: Reading, namespace: Namespace = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[Dag]:
    """List the DAGs that any Airflow reported."""
    return DagService(session).list_dags(namespace, cursor, limit)


@router.get("/dags/{dag_id}/versions", summary="List the versions of a DAG")
def get_versions(
    dag_id: Annotated[str, Path(max_length=250)],
    _: Reader,
    session: Reading,
    namespace: Namespace = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[DagVersion]:
    """List the contents that a DAG had, the newest first, with the text of its file."""
    return DagService(session).list_versions(dag_id, namespace, cursor, limit)


@router.get("/runs/{run_id}", summary="Tell what is known of a run")
def get_run(run_id: UUID, _: Reader, session: Reading) -> RunRecord:
    """Give a run by its OpenLineage id, folded from its events."""
    return run_record(session, run_id)
