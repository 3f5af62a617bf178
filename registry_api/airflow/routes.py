"""``/airflows``: the deployments that the registry reads; for those who administer it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from festaf.contract.airflow import Airflow, AirflowName, AirflowSettings
from festaf.contract.http import Page
from festaf.registry_api.airflow.service import AirflowService
from festaf.registry_api.edge import Admin, Cursor, Limit, Now, Reading, Writing

router = APIRouter(prefix="/airflows", tags=["airflows"])
Name = Annotated[AirflowName, Path(description="The deployment's name")]


@router.get("", summary="List the Airflows that are read")
def get_airflows(_: Admin, session: Reading, now: Now, limit: Limit = 100, cursor: Cursor = None) -> Page[Airflow]:
    """List deployments with how reading them goes."""
    return AirflowService(session, now).list_airflows(cursor, limit)


@router.get("/{name}", summary="Tell how reading an Airflow goes")
def get_airflow(name: Name, _: Admin, session: Reading, now: Now) -> Airflow:
    """Give a deployment with its state."""
    return AirflowService(session, now).give(name)


@router.put("/{name}", summary="Read an Airflow", responses={201: {"model": Airflow}})
def put_airflow(
    name: Name,
    settings: Annotated[AirflowSettings, Body()],
    _: Admin,
    session: Writing,
    now: Now,
    response: Response,
) -> Airflow:
    """Add or change a deployment; 201 when it is new."""
    airflow, new = AirflowService(session, now).put(name, settings)
    response.status_code = 201 if new else 200
    return airflow


@router.delete("/{name}", status_code=204, response_class=Response, summary="Stop reading an Airflow")
def delete_airflow(name: Name, _: Admin, session: Writing, now: Now) -> Response:
    """Remove a deployment; what was read from it stays."""
    AirflowService(session, now).remove(name)
    return Response(status_code=204)
