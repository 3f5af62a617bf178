"""What Marquez took before OpenLineage: refused, with a word on what takes its place."""

from __future__ import annotations

from typing import NoReturn

from fastapi import APIRouter

from festaf.registry_api.edge import Writer
from festaf.registry_api.errors import ServiceError

router = APIRouter(tags=["marquez"])
INSTEAD = (
    "Marquez's own way to report sources, datasets, jobs and runs is not taken; send OpenLineage events to POST"
    " /api/v1/lineage instead (https://openlineage.io)"
)
RESPONSES = {405: {"description": INSTEAD}}


class SupersededError(ServiceError):
    """A way of writing that OpenLineage took the place of."""

    status_code = 405
    title = "Not taken"


def _refuse(_: Writer) -> NoReturn:
    """Refuse: OpenLineage took the place of this."""
    raise SupersededError(INSTEAD)


for method, path in (
    ("PUT", "/sources/{source}"),
    ("PUT", "/namespaces/{namespace}/datasets/{dataset}"),
    ("PUT", "/namespaces/{namespace}/jobs/{job}"),
    ("POST", "/namespaces/{namespace}/jobs/{job}/runs"),
    ("POST", "/jobs/runs/{run_id}/start"),
    ("POST", "/jobs/runs/{run_id}/complete"),
    ("POST", "/jobs/runs/{run_id}/fail"),
    ("POST", "/jobs/runs/{run_id}/abort"),
):
    router.add_api_route(
        path,
        _refuse,
        methods=[method],
        status_code=405,
        response_model=None,
        include_in_schema=False,
        summary="Refused: use OpenLineage",
    )
