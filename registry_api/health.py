"""``/health`` and ``/ready``: for those who watch the process; no token is asked for and nothing is told."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from festaf.contract.model import Model
from festaf.registry_api.dag_packages.blobs import BlobStore
from festaf.registry_api.edge import TheDatabase
from festaf.registry_api.errors import UnavailableError
from festaf.registry_api.operations.stopping import Stopping
from festaf.registry_api.schema import is_current

router = APIRouter(tags=["health"])


class Health(Model):
    """The registry is well."""

    status: Literal["ok"] = "ok"


class Readiness(Health):
    """Requests can be answered; ``archives`` tells of those that need an archive of a DAG package."""

    archives: Literal["ok", "failing"] = "ok"


# Many who watch ask with HEAD.
@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Tell whether the process lives")
def get_health() -> Health:
    """Answer while the process lives."""
    return Health()


@router.head("/ready", include_in_schema=False)
@router.get("/ready", summary="Tell whether requests can be answered")
def get_ready(request: Request, database: TheDatabase) -> Readiness:
    """Answer when the database does and its schema is this version's.

    A store of archives that fails is told and takes nobody away: lineage and every list need none.
    """
    stopping: Stopping = request.app.state.stopping
    if stopping.begun:
        raise UnavailableError("the registry is being stopped")
    if not is_current(database):
        raise UnavailableError("the database's schema is not this version's; run festaf registry migrate")
    blobs: BlobStore = request.app.state.blobs
    return Readiness(archives="failing" if blobs.failing() else "ok")
