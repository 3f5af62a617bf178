"""All of Marquez's routes."""

from __future__ import annotations

from fastapi import APIRouter

from festaf.registry_api.marquez import (
    dataset_routes,
    finding_routes,
    graph_routes,
    job_routes,
    namespace_routes,
    refused_routes,
)

router = APIRouter()
for part in (namespace_routes, dataset_routes, job_routes, graph_routes, finding_routes, refused_routes):
    router.include_router(part.router)
