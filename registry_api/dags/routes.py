"""``/dags`` with their versions and code, and ``/runs``."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from festaf.contract.dag import Dag, DagVersion
from festaf.contract.http import Page
from festaf.contract.run import RunRecord
from festaf.registry_api.dags.listing import DagListing
from festaf.registry_api.dags.record import run_record
from festaf.registry_api.edge import Cursor, Limit, Reader, Reading, View

router = APIRouter(tags=["dags"])
Namespace = Annotated[str | None, Query(max_length=2000, description="Of one Airflow only")]


@router.get("/dags", summary="List DAGs")
def get_dags(
    caller: Reader,
    session: Reading,
    view: View,
    namespace: Namespace = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Dag]:
    """List the DAGs that any Airflow reported."""
    return DagListing(session, view, caller.sight).dags_page(namespace, cursor, limit)


@router.get("/dags/{dag_id}/versions", summary="List the versions of a DAG")
def get_versions(
    dag_id: Annotated[str, Path(max_length=250)],
    caller: Reader,
    session: Reading,
    view: View,
    namespace: Namespace = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[DagVersion]:
    """List the contents that a DAG had, the newest first, with the text of its file."""
    return DagListing(session, view, caller.sight).versions_page(dag_id, namespace, cursor, limit)


@router.get("/runs/{run_id}", summary="Tell what is known of a run")
def get_run(run_id: UUID, caller: Reader, session: Reading, view: View) -> RunRecord:
    """Give a run by its OpenLineage id, folded from the events that count from the viewpoint."""
    return run_record(session, run_id, view, caller.sight)
