"""Read what an event's facets say, ours and the standard ones.

Ours (``festaf_*``) are checked when an event comes in: a wrong one is refused, so that its sender learns of it.
Unknown fields in them are dropped: an Airflow may be newer than the registry. Standard facets come from everyone in
every shape; what cannot be understood in them is passed over and kept verbatim.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TypeGuard, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from festaf.contract.feature_set import (
    DECLARATION_FACET,
    DEFINITION_FACET,
    WRITE_FACET,
    FeatureDeclaration,
    FeatureSetDeclaration,
    FeatureSetDefinition,
    FeatureWrite,
)
from festaf.contract.names import PROJECT_PATTERN, sha256_of
from festaf.contract.openlineage import (
    DAG_FACET,
    TASK_FACET,
    DagSnapshot,
    DatasetEvent,
    JobEvent,
    RunEvent,
    TaskRun,
)
from festaf.registry_api.errors import UnreadableEventError
from festaf.registry_api.graph.names import can_be_named
from festaf.registry_api.lineage import airflow_facets
from festaf.registry_api.shared import made_of, share

Facets = Mapping[str, dict[str, Any]]
Known = TypeVar("Known", bound=BaseModel)
Named = TypeVar("Named", FeatureSetDefinition, FeatureWrite, FeatureSetDeclaration)
DECLARED: TypeAdapter[tuple[FeatureDeclaration, ...]] = TypeAdapter(tuple[FeatureDeclaration, ...])
LARGEST = 2**63 - 1
"""The largest number that a column holds."""
LISTING = {WRITE_FACET: "write", DEFINITION_FACET: "definition", DECLARATION_FACET: "declaration"}
"""By facet the part of it that lists features."""
HASHED = "sha256"
MASK = "***"
"""What Airflow's secret masker leaves of an owner."""


def share_facet(name: str, body: Any) -> Any:
    """Share a facet; of ours that names features, the list of them for itself: beside it are numbers of the run."""
    if not isinstance(body, dict):
        return body
    part = LISTING.get(name)
    inner = body.get(part) if part else None
    features = inner.get("features") if isinstance(inner, dict) else None
    if part and isinstance(inner, dict) and isinstance(features, list):
        body = {**body, part: {**inner, "features": share(features)}}
    return share(body)


def detach_code(facets: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Take the texts of code out of a job's facets and leave their hashes; give the texts by hash."""
    blobs: dict[str, str] = {}
    for facet, detach in DETACHING.items():
        if facet in facets:
            facets[facet], texts = made_of(facets[facet], detach)
            blobs |= texts
    return blobs


def _detach(path: tuple[str, ...], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    blobs: dict[str, str] = {}
    return share(_without_text(body, path, blobs)), blobs


def _without_text(body: dict[str, Any], path: tuple[str, ...], blobs: dict[str, str]) -> dict[str, Any]:
    name, rest = path[0], path[1:]
    inner = body.get(name)
    if rest and isinstance(inner, dict):
        return {**body, name: _without_text(inner, rest, blobs)}
    if rest:
        return body
    if not isinstance(inner, str):  # A sender that knows a hash does not thereby know the text.
        return {**body, name: None} if attached_sha256(inner) else body
    sha256 = _sha256_of(inner)
    blobs[sha256] = inner
    return {**body, name: {HASHED: sha256}}


DETACHING = {
    DAG_FACET: partial(_detach, ("dag", "source")),
    "sourceCode": partial(_detach, ("sourceCode",)),
    "sql": partial(_detach, ("query",)),
}
"""By facet what takes the text of code out of it."""


@lru_cache(maxsize=1_000)
def _sha256_of(text: str) -> str:
    return sha256_of(text)


def attached_sha256(value: Any) -> str | None:
    """Read the hash that ``detach_code`` left in place of a text."""
    found = value.get(HASHED) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def dag_snapshot(facets: Facets, run_facets: Facets | None = None) -> tuple[DagSnapshot, str | None] | None:
    """Read what a process saw of the DAG, and the hash of the source, from facets whose code was detached.

    :param run_facets: where Airflow's own OpenLineage provider says it, when the job's facets do not
    """
    body = facets.get(DAG_FACET)
    if body is None:
        seen = airflow_facets.dag_snapshot(run_facets or {})
        return (seen, None) if seen else None
    return made_of(body, _dag_snapshot)


def _dag_snapshot(body: Mapping[str, Any]) -> tuple[DagSnapshot, str | None]:
    inner = body.get("dag")
    source = inner.get("source") if isinstance(inner, dict) else None
    if isinstance(inner, dict) and attached_sha256(source):
        inner = {**inner, "source": None}
    snapshot = _read(DagSnapshot, inner, f"job.facets.{DAG_FACET}.dag")
    _check_dag_id(snapshot.dag_id)
    _check_size(f"{DAG_FACET}.dag", 2**31 - 1, snapshot.version_number)
    return snapshot, attached_sha256(source)


def seen_dag(event: RunEvent | JobEvent | DatasetEvent) -> tuple[DagSnapshot, str | None] | None:
    """Read what an event saw of a DAG."""
    if isinstance(event, DatasetEvent):
        return None
    return dag_snapshot(event.job.facets, event.run.facets if isinstance(event, RunEvent) else None)


def task_run(facets: Facets) -> TaskRun | None:
    """Read which task instance the run is."""
    body = facets.get(TASK_FACET)
    return airflow_facets.task_run(facets) if body is None else made_of(body, _task_run)


def _task_run(body: Mapping[str, Any]) -> TaskRun:
    task = _read(TaskRun, body.get("task"), f"run.facets.{TASK_FACET}.task")
    _check_dag_id(task.dag_id)
    return task


def definition(facets: Facets) -> FeatureSetDefinition | None:
    """Read what was declared of a feature set."""
    body = facets.get(DEFINITION_FACET)
    return None if body is None else made_of(body, _definition)


def _definition(body: Mapping[str, Any]) -> FeatureSetDefinition | None:
    found = _read(FeatureSetDefinition, body.get("definition"), f"{DEFINITION_FACET}.definition")
    return _named(found, DEFINITION_FACET)


def write(facets: Facets) -> FeatureWrite | None:
    """Read what was written into a feature set."""
    body = facets.get(WRITE_FACET)
    return None if body is None else made_of(body, _write)


def _write(body: Mapping[str, Any]) -> FeatureWrite | None:
    found = _read(FeatureWrite, body.get("write"), f"{WRITE_FACET}.write")
    _check_size(f"{WRITE_FACET}.write", LARGEST, found.rows_read, found.rows_accepted, found.rows_rejected)
    return _named(found, WRITE_FACET)


def declaration(facets: Facets) -> FeatureSetDeclaration | None:
    """Read what was declared by a call."""
    body = facets.get(DECLARATION_FACET)
    return None if body is None else made_of(body, _declaration)


def _declaration(body: Mapping[str, Any]) -> FeatureSetDeclaration | None:
    found = _read(FeatureSetDeclaration, body.get("declaration"), f"{DECLARATION_FACET}.declaration")
    return _named(found, DECLARATION_FACET)


def declaring(facets: Facets) -> list[FeatureSetDefinition | FeatureWrite | FeatureSetDeclaration]:
    """Read everything that names features and their sources."""
    return [said for said in (definition(facets), write(facets), declaration(facets)) if said]


def nominal_time(facets: Facets) -> tuple[datetime | None, datetime | None]:
    """Read the begin and the end of the time that a run stands for; one without an offset is taken as UTC."""
    start, end = (_at(facets, "nominalTime", name) for name in ("nominalStartTime", "nominalEndTime"))
    return _moment(start), _moment(end)


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def parent_run(facets: Facets) -> UUID | None:
    """Read the id of the run that this run is a part of."""
    try:
        return UUID(str(_at(facets, "parent", "run", "runId")))
    except ValueError:
        return None


def run_named(facets: Facets, *path: str) -> tuple[UUID, str | None, str | None] | None:
    """Read the id of a run, and namespace and name of its job, from a place in a run's facets."""
    try:
        run_id = UUID(str(_at(facets, *path, "run", "runId")))
    except ValueError:
        return None
    namespace, name = _at(facets, *path, "job", "namespace"), _at(facets, *path, "job", "name")
    return run_id, namespace if isinstance(namespace, str) else None, name if isinstance(name, str) else None


def parent_job(facets: Facets) -> str | None:
    """Read the name of the job whose run is the parent."""
    name = _at(facets, "parent", "job", "name")
    return name if isinstance(name, str) else None


def emits_snapshots(facets: Facets) -> bool:
    """Tell whether each event of the job's runs is complete in itself, instead of adding to those before."""
    mode: object = _at(facets, "jobType", "emissionPattern", "eventContentMode")
    return mode == "COMPLETE_SNAPSHOT"


def owners(facets: Facets) -> tuple[str, ...]:
    """Read the owners of a job or dataset, ``***`` left out."""
    found = _at(facets, "ownership", "owners")
    names = [owner.get("name") for owner in found if isinstance(owner, dict)] if isinstance(found, list) else []
    return known_owners(name for name in names if isinstance(name, str))


def known_owners(names: Any) -> tuple[str, ...]:
    """Leave out the owners that nobody can know."""
    return tuple(name for name in names if name.strip() and MASK not in name)


def description(facets: Facets) -> str | None:
    """Read the documentation facet."""
    text = _at(facets, "documentation", "description")
    return text if isinstance(text, str) and text.strip() else None


def names_field(value: Any) -> TypeGuard[str]:
    """Tell whether a value can name a field: a text in which more stands than spaces, else nobody could ask for it."""
    return isinstance(value, str) and bool(value.strip())


def schema_fields(facets: Facets) -> dict[str, dict[str, str | None]] | None:
    """Read the schema facet: by field, its ``type`` and ``description``; None when there is no such facet."""
    return made_of(facets.get("schema"), _schema_fields)


def _schema_fields(body: Any) -> dict[str, dict[str, str | None]] | None:
    fields = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(fields, list):
        return None
    found: dict[str, dict[str, str | None]] = {}
    for field in fields:
        if isinstance(field, dict) and names_field(field.get("name")):
            found[field["name"]] = {
                key: field[key] if isinstance(field.get(key), str) else None for key in ("type", "description")
            }
    return found


def row_count(facets: Facets) -> int | None:
    """Read how many rows were written."""
    count = _at(facets, "outputStatistics", "rowCount")
    return count if isinstance(count, int) and 0 <= count <= LARGEST else None


def code(facets: Facets) -> tuple[str, str] | None:
    """Read language and hash of the task's code, from facets whose code was detached."""
    if sha256 := attached_sha256(_at(facets, "sourceCode", "sourceCode")):
        return str(_at(facets, "sourceCode", "language") or "python").lower(), sha256
    if sha256 := attached_sha256(_at(facets, "sql", "query")):
        return "sql", sha256
    return None


def sql(facets: Facets) -> str | None:
    """Read the hash of the SQL that the task ran, from facets whose code was detached."""
    return attached_sha256(_at(facets, "sql", "query"))


def code_location(facets: Facets) -> dict[str, str]:
    """Read where the code is kept: ``url``, ``repoUrl``, ``path``, ``version``, ``branch`` and ``tag``, those said.

    A link that no browser should follow is left out.
    """
    found = _at(facets, "sourceCodeLocation")
    known = ("url", "repoUrl", "path", "version", "branch", "tag")
    said = {name: found[name] for name in known if isinstance(found.get(name), str)} if isinstance(found, dict) else {}
    return {
        name: text
        for name, text in said.items()
        if text and (name != "url" or text.startswith(("https://", "http://")))
    }


def _at(facets: Facets, *path: str) -> Any:
    value: Any = facets
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _check_dag_id(dag_id: str) -> None:
    if not 0 < len(dag_id) <= 250:
        raise UnreadableEventError("the event cannot be read", ("dag_id: has to be 1 to 250 characters long",))


def _check_size(place: str, largest: int, *numbers: int | None) -> None:
    if any(number is not None and abs(number) > largest for number in numbers):
        raise UnreadableEventError("the event cannot be read", (f"{place}: a number is out of range",))


def _named(said: Named, place: str) -> Named | None:
    """Refuse what names no feature set; pass over the sets and the features of which nobody could ask."""
    if not PROJECT_PATTERN.fullmatch(said.project) or "/" in said.feature_set:
        wrong = f"{place}: {said.project!r} and {said.feature_set!r} do not name a feature set"
        raise UnreadableEventError("the event cannot be read", (wrong,))
    if not can_be_named(said.feature_set):
        return None
    features = tuple(item for item in said.features if can_be_named(item.name))
    return said if len(features) == len(said.features) else said.model_copy(update={"features": features})


def _read(model: type[Known], value: Any, place: str) -> Known:
    try:
        return model.model_validate(_with_declarations(model, value))
    except ValidationError as error:
        unknown = [item["loc"] for item in error.errors() if item["type"] == "extra_forbidden"]
        if unknown and len(unknown) == error.error_count():
            return model.model_validate(_without(value, unknown))
        raise UnreadableEventError("the event cannot be read", lines_of(error, place)) from error


def _with_declarations(model: type[BaseModel], value: Any) -> Any:
    """Put declarations that were read before in place of the same text: of a write, only the numbers are new."""
    features = value.get("features") if isinstance(value, dict) else None
    if model not in {FeatureSetDefinition, FeatureWrite} or not isinstance(features, list):
        return value
    try:
        return {**value, "features": made_of(features, DECLARED.validate_python)}
    except ValidationError:
        return value


def lines_of(error: ValidationError, place: str = "", skipped: int = 0) -> tuple[str, ...]:
    """Say in one line each which field is wrong and why.

    :param skipped: how many parts of each field's place are not the sender's
    """
    lines = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join([place] * bool(place) + [str(part) for part in item["loc"][skipped:]])
        lines.append(f"{field}: {item['msg']}" if field else str(item["msg"]))
    return tuple(lines)


def _without(value: Any, places: list[tuple[int | str, ...]]) -> Any:
    if isinstance(value, dict):
        return {
            key: _without(item, [place[1:] for place in places if place[0] == key and len(place) > 1])
            for key, item in value.items()
            if (key,) not in places
        }
    if isinstance(value, list):
        return [
            _without(item, [place[1:] for place in places if place[0] == index]) for index, item in enumerate(value)
        ]
    return value
