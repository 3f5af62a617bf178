"""The feature store runtime: many records in one call, each with its own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.records.online import spelled
from festaf.local_aws.service import ApiError, Call

if TYPE_CHECKING:
    from festaf.local_aws.records.service import RecordService


def write_records(records: RecordService, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Write up to 25 records; one that is wrong is reported and does not hold up the others."""
    default_ttl = request.get("TtlDuration")
    errors = []
    changes = []
    with records.writing:
        for entry in request["Entries"]:
            try:
                change = records.plan(call, entry, entry.get("TtlDuration", default_ttl), missing="ResourceNotFound")
            except ApiError as problem:
                errors.append({"Entry": entry, "ErrorCode": problem.code, "ErrorMessage": problem.message})
                continue
            # Two entries may be the same record: the second is decided by what the first left.
            records.apply(change)
            changes.append(change)
        records.keep(changes)
    return {"Errors": errors, "UnprocessedEntries": []}


def get_records(records: RecordService, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Read up to 100 records of each of up to 100 groups; what is not there is left out."""
    found: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for wanted in request["Identifiers"]:
        name, identifiers = wanted["FeatureGroupName"], wanted["RecordIdentifiersValueAsString"]
        try:
            found += _read(records, call, wanted, request)
        except ApiError as problem:
            errors += [
                {
                    "FeatureGroupName": name,
                    "RecordIdentifierValueAsString": identifier,
                    "ErrorCode": problem.code,
                    "ErrorMessage": problem.message,
                }
                for identifier in identifiers
            ]
    return {"Records": found, "Errors": errors, "UnprocessedIdentifiers": []}


def _read(records: RecordService, call: Call, wanted: dict[str, Any], request: dict[str, Any]) -> list[dict[str, Any]]:
    group = records.readable(call, wanted["FeatureGroupName"])
    names = records.chosen(group, wanted.get("FeatureNames"))
    return [
        {
            "FeatureGroupName": wanted["FeatureGroupName"],
            "RecordIdentifierValueAsString": identifier,
            "Record": spelled(record.values, names),
            "ExpiresAt": record.expires_at(request),
        }
        for identifier in wanted["RecordIdentifiersValueAsString"]
        if (record := records.read(group, identifier)) is not None
    ]
