"""The facets that festaf writes, each in OpenLineage's published shape or under festaf's own name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.contract.openlineage import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from pydantic import BaseModel

    from festaf.contract.names import DatasetName


Facet = dict[str, Any]
"""A facet is open by specification: any JSON object."""

_SPEC = "https://openlineage.io/spec/facets"
_OWN = f"{PRODUCER}/blob/main/contract"


@dataclass(frozen=True)
class Origin:
    """A column that another is made from, or that bears on it, and how; in OpenLineage's words."""

    dataset: DatasetName
    """With the column as its field."""
    type: str = "DIRECT"
    subtype: str = "TRANSFORMATION"
    description: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a dataset."""

    name: str
    type: str
    description: str | None = None
    origins: tuple[Origin, ...] = ()


def own(file: str, key: str, model: BaseModel) -> Facet:
    """Carry a contract model under ``key``; ``file`` is where the contract defines it."""
    return _facet(f"{_OWN}/{file}.py", {key: model.model_dump(mode="json")})


def parent(namespace: str, dag_id: str, run_id: UUID) -> Facet:
    """Name the DAG run that a task run belongs to."""
    reference = {"run": {"runId": str(run_id)}, "job": {"namespace": namespace, "name": dag_id}}
    return _published("ParentRunFacet", "1-1-0", {**reference, "root": reference})


def nominal_time(start: datetime, end: datetime | None) -> Facet:
    """Name the time that a run stands for."""
    times = {"nominalStartTime": start.isoformat()}
    if end:
        times["nominalEndTime"] = end.isoformat()
    return _published("NominalTimeRunFacet", "1-0-1", times)


def error_message(message: str, stack: str | None) -> Facet:
    """Say why a run failed."""
    text = {"message": message, "programmingLanguage": "python"}
    if stack:
        text["stackTrace"] = stack
    return _published("ErrorMessageRunFacet", "1-0-1", text)


def job_type(kind: str) -> Facet:
    """Say what kind of job it is: ``DAG`` or ``TASK``."""
    return _published(
        "JobTypeJobFacet", "2-0-3", {"processingType": "BATCH", "integration": "AIRFLOW", "jobType": kind}
    )


def source_code(text: str, language: str = "python") -> Facet:
    """Carry the code of a task."""
    return _published("SourceCodeJobFacet", "1-0-1", {"language": language, "sourceCode": text})


def sql_query(text: str) -> Facet:
    """Carry the SQL of a task."""
    return _published("SQLJobFacet", "1-1-0", {"query": text})


def job_documentation(text: str, content_type: str) -> Facet:
    """Carry what the author wrote about a job."""
    return _published("DocumentationJobFacet", "1-1-0", {"description": text, "contentType": content_type})


def job_ownership(owners: Iterable[str]) -> Facet:
    """Name who answers for a job."""
    return _published("OwnershipJobFacet", "1-0-1", {"owners": [{"name": owner} for owner in owners]})


def dataset_documentation(text: str) -> Facet:
    """Carry what the author wrote about a dataset."""
    return _published("DocumentationDatasetFacet", "1-1-0", {"description": text, "contentType": "text/plain"})


def dataset_ownership(owner: str) -> Facet:
    """Name who answers for a dataset."""
    return _published("OwnershipDatasetFacet", "1-0-1", {"owners": [{"name": owner}]})


def dataset_version(version: str) -> Facet:
    """Name the version of a dataset that a run made."""
    return _published("DatasetVersionDatasetFacet", "1-0-1", {"datasetVersion": version})


def dropped() -> Facet:
    """Say that a dataset was deleted."""
    return _published("LifecycleStateChangeDatasetFacet", "1-0-1", {"lifecycleStateChange": "DROP"})


def described(columns: Sequence[Column], whole: Sequence[Origin] = ()) -> dict[str, Facet]:
    """List the columns of a dataset, and what each is made from when something of it is known.

    :param whole: what bears on every column, such as the keys of a join
    """
    if not columns:
        return {}
    found = {"schema": _schema(columns)}
    if whole or any(column.origins for column in columns):
        found["columnLineage"] = _column_lineage(columns, whole)
    return found


def _schema(columns: Iterable[Column]) -> Facet:
    fields = []
    for column in columns:
        field = {"name": column.name, "type": column.type}
        if column.description:
            field["description"] = column.description
        fields.append(field)
    return _published("SchemaDatasetFacet", "1-1-1", {"fields": fields})


def _column_lineage(columns: Iterable[Column], whole: Iterable[Origin]) -> Facet:
    """Say which columns each column is made from; an origin that names no column has no place here."""
    fields = {
        column.name: {"inputFields": inputs}
        for column in columns
        if (inputs := [_input_field(origin) for origin in column.origins if origin.dataset.field])
    }
    content: Facet = {"fields": fields}
    if bearing := [_input_field(origin) for origin in whole if origin.dataset.field]:
        content["dataset"] = bearing
    return _published("ColumnLineageDatasetFacet", "1-2-0", content)


def _input_field(origin: Origin) -> Facet:
    return {
        "namespace": origin.dataset.namespace,
        "name": origin.dataset.name,
        "field": origin.dataset.field,
        "transformations": [
            {"type": origin.type, "subtype": origin.subtype, "description": origin.description, "masking": False}
        ],
    }


def output_statistics(rows: int, size: int | None = None, files: int | None = None) -> Facet:
    """Count what a run wrote: rows, and bytes and files where they are known."""
    counts = {"rowCount": rows, "size": size, "fileCount": files}
    return _published(
        "OutputStatisticsOutputDatasetFacet",
        "1-0-2",
        {key: count for key, count in counts.items() if count is not None},
    )


def _published(name: str, version: str, content: Facet) -> Facet:
    return _facet(f"{_SPEC}/{version}/{name}.json#/$defs/{name}", content)


def _facet(schema_url: str, content: Facet) -> Facet:
    return {"_producer": PRODUCER, "_schemaURL": schema_url, **content}
