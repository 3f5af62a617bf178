"""Put what the catalog knows into Marquez's shapes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, cast, get_args

from festaf.contract import marquez, marquez_graph
from festaf.contract.marquez import RunState
from festaf.contract.openlineage import EventType
from festaf.registry_api.catalog.described import (
    Column,
    DescribedDataset,
    DescribedJob,
    DescribedRun,
    InRun,
    columns_of,
    state_name,
    text_in,
)
from festaf.registry_api.catalog.read_repository import NamespaceRow, SourceRow
from festaf.registry_api.catalog.run_repository import RunRow, Version, Written
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.catalog.tables import DatasetTable
from festaf.registry_api.catalog.versions import dataset_version_id, location_of
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies, read_state

JobType = Literal["BATCH", "STREAM", "SERVICE"]
NOBODY = "anonymous"
"""The owner of a namespace that nobody took; Marquez says the same."""
Facets = Mapping[str, dict[str, Any]]


def namespace(row: NamespaceRow) -> marquez.Namespace:
    """Show a namespace."""
    name, first_seen, created, updated, owner, description = row
    since = min(moment for moment in (first_seen, created) if moment)
    return marquez.Namespace(
        name=name,
        created_at=since,
        updated_at=max(moment for moment in (since, updated) if moment),
        owner_name=owner or NOBODY,
        description=description,
    )


def source(row: SourceRow) -> marquez.Source:
    """Show a source; its type is the scheme of its address."""
    name, uri, first, last = row
    scheme = (uri or "").partition("://")[0] if "://" in (uri or "") else ""
    return marquez.Source(type=scheme.upper(), name=name, created_at=first, updated_at=last, connection_url=uri or "")


def identity(subject: Subject) -> marquez.Id:
    """Show a name."""
    return marquez.Id(namespace=subject.namespace, name=subject.name)


def run(found: DescribedRun) -> marquez.Run:
    """Show a run with everything that its events said."""
    row, facets = found.row, bodies(found.state.run_facets)
    nominal_start, nominal_end = reading.nominal_time(facets)
    job = found.state.job
    version = found.job_version
    return marquez.Run(
        id=row.uuid,
        created_at=found.state.first_event_at,
        updated_at=row.last_event_at,
        nominal_start_time=nominal_start,
        nominal_end_time=nominal_end,
        state=_state(row.state, row.started_at),
        started_at=_started(found),
        ended_at=row.ended_at,
        duration_ms=_duration(row.started_at, row.ended_at),
        job_version=marquez.VersionId(namespace=job.namespace, name=job.name, version=version) if version else None,
        input_dataset_versions=tuple(_in_run(item) for item in found.inputs),
        output_dataset_versions=tuple(_in_run(item) for item in found.outputs),
        facets=facets,
    )


def short_run(row: RunRow) -> marquez.Run:
    """Show a run among others, without what its events said."""
    started = row.started_at or (read_state(row.running).first_event_at if row.running else None)
    return marquez.Run(
        id=row.uuid,
        created_at=started or row.last_event_at,
        updated_at=row.last_event_at,
        state=_state(row.state, row.started_at),
        started_at=started,
        ended_at=row.ended_at,
        duration_ms=_duration(row.started_at, row.ended_at),
    )


def _state(state: str | None, started: datetime | None) -> RunState:
    return cast("RunState", state_name(state, started=started is not None))


def _started(found: DescribedRun) -> datetime | None:
    """Say since when a run runs; of one that never said START but RUNNING, since it was first heard of."""
    row = found.row
    return row.started_at or (found.state.first_event_at if row.state == EventType.RUNNING else None)


def _duration(started: datetime | None, ended: datetime | None) -> int | None:
    return max(0, round((ended - started).total_seconds() * 1000)) if started and ended else None


def _in_run(item: InRun) -> marquez.VersionInRun:
    name = item.subject
    return marquez.VersionInRun(
        dataset_version_id=marquez.VersionId(namespace=name.namespace, name=name.name, version=item.version_id),
        facets=bodies(item.state.facets),
    )


def job(found: DescribedJob) -> marquez.Job:
    """Show a job."""
    said = _job(found)
    return marquez.Job(
        **said,
        latest_runs=tuple(short_run(row) for row in found.latest_runs) or None,
        facets=found.facets,
        current_version=found.current_version,
        tags=found.tags,
    )


def job_node(found: DescribedJob) -> marquez_graph.JobNode:
    """Show a job in a graph."""
    return marquez_graph.JobNode(**_job(found))


def _job(found: DescribedJob) -> dict[str, Any]:
    row = found.row
    parent = reading.parent_job(bodies(found.latest_run.state.run_facets)) if found.latest_run else None
    inside = parent is not None and row.name.startswith(f"{parent}.")
    return {
        "id": marquez.Id(namespace=row.namespace, name=row.name),
        "type": _job_type(found.facets),
        "name": row.name,
        "simple_name": row.name.removeprefix(f"{parent}.") if inside else row.name,
        "parent_job_name": parent,
        "created_at": row.first_seen,
        "updated_at": row.last_seen,
        "namespace": row.namespace,
        "inputs": tuple(identity(item) for item in found.inputs),
        "outputs": tuple(identity(item) for item in found.outputs),
        "location": location_of(found.facets),
        "description": reading.description(found.facets),
        "latest_run": run(found.latest_run) if found.latest_run else None,
    }


def _job_type(facets: Facets) -> JobType:
    """Say what Marquez calls the type: a stream has no end; every other job is a batch."""
    said = (text_in(facets, "jobType", "processingType") or "").upper()
    named: dict[str, JobType] = {"STREAMING": "STREAM", **{name: name for name in get_args(JobType)}}
    return named.get(said, "BATCH")


def job_version(row_name: Subject, version: Version, latest: DescribedRun) -> marquez.JobVersion:
    """Show a version of a job."""
    content = version.row.content
    inputs, outputs = (
        tuple(marquez.Id(namespace=namespace_, name=name) for namespace_, name in content[side])
        for side in ("inputs", "outputs")
    )
    seen = {(item.subject.namespace, item.subject.name) for item in (*latest.inputs, *latest.outputs)}
    return marquez.JobVersion(
        id=marquez.VersionId(namespace=row_name.namespace, name=row_name.name, version=version.row.uuid),
        name=row_name.name,
        created_at=version.first,
        version=version.row.uuid,
        namespace=row_name.namespace,
        location=content["location"],
        inputs=tuple(item for item in inputs if (item.namespace, item.name) in seen),
        outputs=tuple(item for item in outputs if (item.namespace, item.name) in seen),
        latest_run=run(latest),
    )


def fields(columns: Iterable[Column], tags: Iterable[tuple[str, str]]) -> tuple[marquez.Field, ...]:
    """Show the fields of a dataset."""
    borne: dict[str, set[str]] = {}
    for column, tag in tags:
        borne.setdefault(column, set()).add(tag)
    return tuple(
        marquez.Field(
            name=column.name,
            type=column.type,
            description=column.description,
            tags=tuple(sorted(borne.get(column.name, ()))),
        )
        for column in columns
    )


def dataset(found: DescribedDataset) -> marquez.Dataset:
    """Show a dataset."""
    lifecycle = text_in(found.facets, "lifecycleStateChange", "lifecycleStateChange")
    return marquez.Dataset(
        **_dataset(found),
        current_version=found.version_id,
        column_lineage=column_lineage(found.facets),
        deleted=lifecycle == "DROP",
    )


def dataset_node(found: DescribedDataset) -> marquez_graph.DatasetNode:
    """Show a dataset in a graph."""
    return marquez_graph.DatasetNode(**_dataset(found))


def _dataset(found: DescribedDataset) -> dict[str, Any]:
    row = found.row
    return {
        **_named(row),
        "id": marquez.Id(namespace=row.namespace, name=row.name),
        "created_at": row.first_seen,
        "updated_at": row.last_seen,
        "fields": fields(found.columns, found.tags),
        "tags": tuple(sorted({tag for column, tag in found.tags if not column})),
        "last_modified_at": found.version.at if found.version else None,
        "last_lifecycle_state": text_in(found.facets, "lifecycleStateChange", "lifecycleStateChange"),
        "description": reading.description(found.facets),
        "facets": found.facets,
    }


def _named(row: DatasetTable) -> dict[str, Any]:
    return {
        "name": row.name,
        "physical_name": row.name,
        "namespace": row.namespace,
        "source_name": row.source_name,
    }


def dataset_version(
    row: DatasetTable, version: Written, by: DescribedRun, tags: Iterable[tuple[str, str]]
) -> marquez.DatasetVersion:
    """Show what a run wrote of a dataset, with the facets that it gave it."""
    name = (row.namespace, row.name)
    said = next((item.state.facets for item in by.outputs if (item.state.namespace, item.state.name) == name), {})
    facets = bodies(said)
    tags = list(tags)
    version_id = dataset_version_id(row.key, version.run)
    return marquez.DatasetVersion(
        **_named(row),
        id=marquez.VersionId(namespace=row.namespace, name=row.name, version=version_id),
        created_at=version.at,
        version=version_id,
        fields=fields(columns_of(facets), tags),
        tags=tuple(sorted({tag for column, tag in tags if not column})),
        lifecycle_state=text_in(facets, "lifecycleStateChange", "lifecycleStateChange"),
        description=reading.description(facets),
        created_by_run=run(by) if by.visible else None,
        facets=facets,
        external_version=text_in(facets, "version", "datasetVersion"),
    )


def column_lineage(facets: Facets) -> tuple[marquez.FieldLineage, ...] | None:
    """Show what the ``columnLineage`` facet says of each field, by name: JSON knows no order of keys."""
    said = facets.get("columnLineage", {}).get("fields")
    if not isinstance(said, dict):
        return None
    found = []
    for name, body in sorted(said.items()):
        inputs = body.get("inputFields") if isinstance(body, dict) else None
        read = [item for item in map(_input_field, inputs if isinstance(inputs, list) else ()) if item]
        if read and reading.names_field(name):
            found.append(
                marquez.FieldLineage(
                    name=name,
                    input_fields=tuple(read),
                    transformation_description=text_in({"": body}, "", "transformationDescription"),
                    transformation_type=text_in({"": body}, "", "transformationType"),
                )
            )
    return tuple(found) or None


def _input_field(item: Any) -> marquez.InputField | None:
    if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("namespace", "name")):
        return None
    if not reading.names_field(item.get("field")):
        return None
    said = item.get("transformations")
    steps = [step for step in (said if isinstance(said, list) else ()) if isinstance(step, dict)] or [{}]
    return marquez.InputField(
        namespace=item["namespace"],
        dataset=item["name"],
        field=item["field"],
        transformation_description=text_in({"": steps[0]}, "", "description"),
        transformation_type="/".join(
            str(steps[0][key]) for key in ("type", "subtype") if isinstance(steps[0].get(key), str)
        )
        or None,
    )
