"""The shapes that Marquez's openapi.yml gives its answers, written down field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

Shape = dict[str, Any]


class Moment:
    """A time in ISO 8601 with an offset."""

    @staticmethod
    def fits(value: Any) -> bool:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


class Uuid:
    """A UUID."""

    @staticmethod
    def fits(value: Any) -> bool:
        return isinstance(value, str) and str(UUID(value)) == value


class Maybe:
    """A value that may be null."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


ID = {"namespace": str, "name": str}
VERSION_ID = {**ID, "version": Uuid}
NAMESPACE = {
    "name": str,
    "createdAt": Moment,
    "updatedAt": Moment,
    "ownerName": str,
    "description": Maybe(str),
    "isHidden": bool,
}
SOURCE = {
    "type": str,
    "name": str,
    "createdAt": Moment,
    "updatedAt": Moment,
    "connectionUrl": str,
    "description": Maybe(str),
}
TAG = {"name": str, "description": Maybe(str)}
FIELD = {"name": str, "type": Maybe(str), "tags": [str], "description": Maybe(str)}
IN_RUN = {"datasetVersionId": VERSION_ID, "facets": dict}
RUN = {
    "id": Uuid,
    "createdAt": Moment,
    "updatedAt": Moment,
    "nominalStartTime": Maybe(Moment),
    "nominalEndTime": Maybe(Moment),
    "state": ("NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED"),
    "startedAt": Maybe(Moment),
    "endedAt": Maybe(Moment),
    "durationMs": Maybe(int),
    "args": dict,
    "jobVersion": Maybe(VERSION_ID),
    "inputDatasetVersions": [IN_RUN],
    "outputDatasetVersions": [IN_RUN],
    "facets": dict,
}
JOB_TYPE = ("BATCH", "STREAM", "SERVICE")
JOB_NODE = {
    "id": ID,
    "type": JOB_TYPE,
    "name": str,
    "simpleName": str,
    "parentJobName": Maybe(str),
    "parentJobUuid": Maybe(Uuid),
    "createdAt": Moment,
    "updatedAt": Moment,
    "namespace": str,
    "inputs": [ID],
    "outputs": [ID],
    "location": Maybe(str),
    "description": Maybe(str),
    "latestRun": Maybe(RUN),
}
JOB = {
    **JOB_NODE,
    "latestRuns": Maybe([RUN]),
    "facets": dict,
    "currentVersion": Maybe(Uuid),
    "labels": [str],
    "tags": [str],
}
JOB_VERSION = {
    "id": VERSION_ID,
    "name": str,
    "createdAt": Moment,
    "version": Uuid,
    "namespace": str,
    "inputs": [ID],
    "outputs": [ID],
    "location": Maybe(str),
    "latestRun": Maybe(RUN),
    "facets": dict,
}
DATASET_NODE = {
    "id": ID,
    "type": ("DB_TABLE", "STREAM"),
    "name": str,
    "physicalName": str,
    "createdAt": Moment,
    "updatedAt": Moment,
    "namespace": str,
    "sourceName": str,
    "fields": [FIELD],
    "tags": [str],
    "lastModifiedAt": Maybe(Moment),
    "lastLifecycleState": Maybe(str),
    "description": Maybe(str),
    "facets": dict,
}
INPUT_FIELD = {
    "namespace": str,
    "dataset": str,
    "field": str,
    "transformationDescription": Maybe(str),
    "transformationType": Maybe(str),
}
DATASET = {
    **DATASET_NODE,
    "currentVersion": Maybe(Uuid),
    "columnLineage": Maybe(
        [
            {
                "name": str,
                "inputFields": [INPUT_FIELD],
                "transformationDescription": Maybe(str),
                "transformationType": Maybe(str),
            }
        ]
    ),
    "deleted": bool,
}
DATASET_VERSION = {
    "id": VERSION_ID,
    "type": ("DB_TABLE", "STREAM"),
    "name": str,
    "physicalName": str,
    "createdAt": Moment,
    "version": Uuid,
    "namespace": str,
    "sourceName": str,
    "fields": [FIELD],
    "tags": [str],
    "lifecycleState": Maybe(str),
    "description": Maybe(str),
    "currentSchemaVersion": Maybe(Uuid),
    "createdByRun": Maybe(RUN),
    "facets": dict,
    "externalVersion": Maybe(str),
}
EDGE = {"origin": str, "destination": str}
FIELD_NODE = {
    "id": str,
    "type": ("DATASET_FIELD",),
    "data": {
        "namespace": str,
        "dataset": str,
        "datasetVersion": Maybe(Uuid),
        "field": str,
        "fieldType": Maybe(str),
        "transformationDescription": Maybe(str),
        "transformationType": Maybe(str),
        "inputFields": [{**INPUT_FIELD, "datasetVersion": Maybe(Uuid)}],
    },
    "inEdges": [EDGE],
    "outEdges": [EDGE],
}
SEARCH_RESULT = {"name": str, "namespace": str, "nodeId": str, "type": ("JOB", "DATASET"), "updatedAt": Moment}
UPSTREAM = {
    "job": {**ID, "version": Maybe(Uuid)},
    "run": {"id": Uuid, "start": Maybe(Moment), "end": Maybe(Moment), "status": str},
    "inputs": [{**VERSION_ID, "producedByRunId": Maybe(Uuid)}],
}
COUNT = {"startInterval": Moment, "endInterval": Moment, "count": int}
EVENT_COUNT = {
    "startInterval": Moment,
    "endInterval": Moment,
    "fail": int,
    "start": int,
    "complete": int,
    "abort": int,
}


def misfits(value: Any, shape: Any, place: str = "") -> list[str]:
    """Say where a value is not of a shape; nothing when it fits."""
    if isinstance(shape, Maybe):
        return [] if value is None else misfits(value, shape.shape, place)
    if isinstance(shape, list):
        items = value if isinstance(value, list) else [f"{place} is no list"]
        return [line for number, item in enumerate(items) for line in misfits(item, shape[0], f"{place}[{number}]")]
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            return [f"{place}: {sorted(value)} instead of {sorted(shape)}"]
        return [line for key in shape for line in misfits(value[key], shape[key], f"{place}.{key}")]
    if isinstance(shape, tuple):
        return [] if value in shape else [f"{place}: {value!r} is none of {shape}"]
    fits = shape.fits(value) if hasattr(shape, "fits") else isinstance(value, shape)
    return [] if fits else [f"{place}: {value!r} is no {shape.__name__}"]


def path_of(*names: str) -> str:
    return "/".join(quote(name, safe="") for name in names)


def fitting(answer: Any, shape: Any) -> Any:
    assert misfits(answer, shape) == []
    return answer
