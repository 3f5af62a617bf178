"""``POST /lineage`` and ``/lineage/batch``: OpenLineage's own interface."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from festaf.contract.openlineage import BatchAnswer, BatchSummary, FailedEvent
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.events import EventGate
from festaf.registry_api.changes import name_subjects
from festaf.registry_api.edge import Body, Now, TheSettings, Writer, Writing
from festaf.registry_api.errors import TooLargeError
from festaf.registry_api.lineage.body import parse_items, parse_json
from festaf.registry_api.lineage.service import LineageService

router = APIRouter(tags=["lineage"])


def _takes(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the body; it is read by hand, since it may be compressed and must be hashed as it came."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


EVENT_SCHEMA: dict[str, Any] = {"type": "object", "description": "An OpenLineage RunEvent, JobEvent or DatasetEvent"}


@router.post(
    "/lineage", status_code=201, response_class=Response, openapi_extra=_takes(EVENT_SCHEMA), summary="Take an event"
)
def post_event(body: Body, caller: Writer, session: Writing, now: Now) -> Response:
    """Take one OpenLineage event; the same event again changes nothing."""
    gate = EventGate(session, caller, now)
    name_subjects(session)
    service = LineageService(session, now, gate)
    service.take(parse_json(body))
    gate.make_projects()
    note(session, "events.take", service.kept_ids, counts={"received": 1, "new": len(service.kept)})
    return Response(status_code=201)


@router.post(
    "/lineage/batch",
    response_model=BatchAnswer,
    responses={204: {"description": "Every event was taken"}},
    openapi_extra=_takes({"type": "array", "items": {"description": "An event; what is none is refused for itself"}}),
    summary="Take several events",
)
def post_batch(body: Body, caller: Writer, session: Writing, now: Now, settings: TheSettings) -> Response:
    """Take several events in one transaction, each for itself; 204 when all were taken."""
    values = parse_items(body)
    if len(values) > settings.max_batch_events:
        raise TooLargeError(f"a batch holds at most {settings.max_batch_events} events")
    gate = EventGate(session, caller, now)
    name_subjects(session)
    service = LineageService(session, now, gate)
    refusals = service.take_batch(values)
    gate.make_projects()
    counts = {"received": len(values), "new": len(service.kept), "refused": len(refusals)}
    note(session, "events.take", service.kept_ids, counts=counts)
    if not refusals:
        return Response(status_code=204)
    retriable = sum(refusal.retriable for refusal in refusals)
    answer = BatchAnswer(
        status="partial_success",
        summary=BatchSummary(
            received=len(values),
            successful=len(values) - len(refusals),
            failed=len(refusals),
            retriable=retriable,
            non_retriable=len(refusals) - retriable,
        ),
        failed_events=tuple(
            FailedEvent(index=item.index, reason=item.reason, retriable=item.retriable) for item in refusals
        ),
    )
    return Response(answer.model_dump_json(), media_type="application/json")
