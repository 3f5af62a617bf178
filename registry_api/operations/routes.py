"""``GET /metrics``: for Prometheus; no token is asked for, and no name of anything kept here is told."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from festaf.registry_api.operations.metrics import Metrics

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, summary="Give the counters for Prometheus")
def get_metrics(request: Request) -> Response:
    """Give what was counted since the process began, in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
