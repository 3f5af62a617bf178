"""The facets that festaf writes, each in OpenLineage's published shape or under festaf's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.contract.openlineage import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from pydantic import BaseModel

    from festaf.contract.feature_set import FeatureDeclaration
    from festaf.contract.names import DatasetName

Facet = dict[str, Any]
"""A facet is open by specification: any JSON object."""

_SPEC = "https://openlineage.io/spec/facets"
_OWN = f"{PRODUCER}/blob/main/contract"


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


def source_code(text: str) -> Facet:
    """Carry the Python code of a task."""
    return _published("SourceCodeJobFacet", "1-0-1", {"language": "python", "sourceCode": text})


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


def dropped() -> Facet:
    """Say that a dataset was deleted."""
    return _published("LifecycleStateChangeDatasetFacet", "1-0-1", {"lifecycleStateChange": "DROP"})


def schema(features: Iterable[FeatureDeclaration]) -> Facet:
    """List the columns of a feature set."""
    fields = []
    for feature in features:
        column = {"name": feature.name, "type": _type_name(feature)}
        if feature.description:
            column["description"] = feature.description
        fields.append(column)
    return _published("SchemaDatasetFacet", "1-1-1", {"fields": fields})


def column_lineage(sources: dict[str, list[DatasetName]], technique: dict[str, str | None]) -> Facet:
    """Say which columns each feature is made from; a source of which no column is named has no place here."""
    fields = {}
    for feature, names in sources.items():
        transformation = {
            "type": "DIRECT",
            "subtype": "TRANSFORMATION",
            "description": technique.get(feature) or "",
            "masking": False,
        }
        inputs = [
            {
                "namespace": name.namespace,
                "name": name.name,
                "field": name.field,
                "transformations": [transformation],
            }
            for name in names
            if name.field
        ]
        if inputs:
            fields[feature] = {"inputFields": inputs}
    return _published("ColumnLineageDatasetFacet", "1-2-0", {"fields": fields})


def output_statistics(rows: int) -> Facet:
    """Count the rows that a run wrote."""
    return _published("OutputStatisticsOutputDatasetFacet", "1-0-2", {"rowCount": rows})


def _type_name(feature: FeatureDeclaration) -> str:
    return f"{feature.collection}<{feature.type}>" if feature.collection else feature.type


def _published(name: str, version: str, content: Facet) -> Facet:
    return _facet(f"{_SPEC}/{version}/{name}.json#/$defs/{name}", content)


def _facet(schema_url: str, content: Facet) -> Facet:
    return {"_producer": PRODUCER, "_schemaURL": schema_url, **content}
