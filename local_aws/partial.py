"""Answers that are not whole: what a ``partial`` fault makes of a handler's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.resources.listing import DEFAULT_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.protocol.operation import Operation
    from festaf.local_aws.service import Call, Handler

BATCHES = ("BatchWriteRecord", "BatchGetRecord")


def can_be_partial(operation: Operation) -> bool:
    """Say whether AWS may answer only a part of what was asked for: a batch, or a list that comes in pages."""
    return operation.name in BATCHES or (operation.name.startswith("List") and operation.paged)


def partly(operation: Operation, handler: Handler) -> Handler:
    """Make a handler do only a part of the work, as the operation documents it.

    BatchWriteRecord and BatchGetRecord leave the second half, and at least one entry, unprocessed; a list ends its
    page after half of what was asked for and gives a NextToken.
    """
    return _HALVES.get(operation.name, _half_a_page)(handler)


def _half_of_writes(handler: Handler) -> Handler:
    def handle(call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        entries = parameters["Entries"]
        kept = len(entries) // 2
        result: dict[str, Any] = {"Errors": [], "UnprocessedEntries": []}
        if kept:
            result = handler(call, {**parameters, "Entries": entries[:kept]})
        return {**result, "UnprocessedEntries": [*result["UnprocessedEntries"], *entries[kept:]]}

    return handle


def _half_of_reads(handler: Handler) -> Handler:
    """Count single records: one entry of a BatchGetRecord names up to 100."""

    def handle(call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        member = "RecordIdentifiersValueAsString"
        left = sum(len(wanted[member]) for wanted in parameters["Identifiers"]) // 2
        read, unread = [], []
        for wanted in parameters["Identifiers"]:
            now, later = wanted[member][:left], wanted[member][left:]
            left -= len(now)
            read += [{**wanted, member: now}] if now else []
            unread += [{**wanted, member: later}] if later else []
        result = handler(call, {**parameters, "Identifiers": read})
        return {**result, "UnprocessedIdentifiers": [*result["UnprocessedIdentifiers"], *unread]}

    return handle


def _half_a_page(handler: Handler) -> Handler:
    def handle(call: Call, parameters: dict[str, Any]) -> dict[str, Any]:
        asked = parameters.get("MaxResults", DEFAULT_PAGE)
        return handler(call, {**parameters, "MaxResults": max(1, asked // 2)})

    return handle


_HALVES: dict[str, Callable[[Handler], Handler]] = {
    "BatchWriteRecord": _half_of_writes,
    "BatchGetRecord": _half_of_reads,
}
