"""``/jobs``, ``/namespaces/{namespace}/jobs`` and ``/jobs/runs``."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from festaf.contract import marquez
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.catalog.described import STATES
from festaf.registry_api.catalog.marking import MarkingRepository
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.catalog.service import CatalogService
from festaf.registry_api.catalog.tables import JobTable
from festaf.registry_api.edge import Answered, Now, Reader, Reading, View, Writer, Writing
from festaf.registry_api.errors import ForbiddenError
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.marquez import shapes
from festaf.registry_api.marquez.names import MOST, EncodedName, EncodedTag, Offset, Part
from festaf.registry_api.marquez.namespace_routes import checked

router = APIRouter(tags=["marquez"])
States = Annotated[
    list[marquez.RunState] | None, Query(alias="lastRunStates", description="Only jobs whose latest run is in one")
]


@router.get("/jobs", response_model=marquez.Jobs, summary="List jobs")
async def get_all_jobs(
    answering: Answered, view: View, states: States = None, limit: Part = 100, offset: Offset = 0
) -> Response:
    """List the jobs of all namespaces, those that were spoken of last first."""

    def read(session: Session) -> marquez.Jobs:
        return _jobs(CatalogService(session, answering.caller.sight, view), None, states, limit, offset)

    return await answering.give(read)


@router.get("/namespaces/{namespace}/jobs", response_model=marquez.Jobs, summary="List the jobs of a namespace")
async def get_jobs(
    namespace: EncodedName,
    answering: Answered,
    view: View,
    states: States = None,
    limit: Part = 100,
    offset: Offset = 0,
) -> Response:
    """List the jobs of a namespace, those that were spoken of last first."""

    def read(session: Session) -> marquez.Jobs:
        catalog = CatalogService(session, answering.caller.sight, view)
        catalog.namespace(namespace)
        return _jobs(catalog, namespace, states, limit, offset)

    return await answering.give(read)


def _jobs(
    catalog: CatalogService, namespace: str | None, states: list[marquez.RunState] | None, limit: int, offset: int
) -> marquez.Jobs:
    said = [kind.value for kind, state in STATES.items() if state in (states or ())]
    if states and not said:
        return marquez.Jobs(jobs=(), total_count=0)
    found, count = catalog.jobs(namespace, said, min(limit, MOST), offset)
    return marquez.Jobs(jobs=tuple(shapes.job(item) for item in found), total_count=count)


@router.get("/namespaces/{namespace}/jobs/{job}", response_model=marquez.Job, summary="Give a job")
async def get_job(namespace: EncodedName, job: EncodedName, answering: Answered, view: View) -> Response:
    """Give a job as its events accumulated, with its latest runs."""

    def read(session: Session) -> marquez.Job:
        return _shown(CatalogService(session, answering.caller.sight, view), namespace, job)

    return await answering.give(read)


@router.delete("/namespaces/{namespace}/jobs/{job}", summary="Hide a job")
def delete_job(namespace: EncodedName, job: EncodedName, caller: Writer, session: Writing, now: Now) -> marquez.Job:
    """Hide a job until a later event speaks of it; what is known of it stays."""
    row = _written(caller, session, namespace, job)
    shown = _shown(CatalogService(session, caller.writes), namespace, job)
    MarkingRepository(session, now).remove(Subject("job", namespace, job), row.last_seen)
    return shown


@router.get(
    "/namespaces/{namespace}/jobs/{job}/versions",
    response_model=marquez.JobVersions,
    summary="List the versions of a job",
)
async def get_versions(
    namespace: EncodedName,
    job: EncodedName,
    answering: Answered,
    view: View,
    limit: Part = 100,
    offset: Offset = 0,
) -> Response:
    """List the versions that a job's runs ran, the newest first: a change of its datasets or its code makes one."""

    def read(session: Session) -> marquez.JobVersions:
        catalog = CatalogService(session, answering.caller.sight, view)
        row = catalog.job_row(namespace, job)
        found, count = catalog.job_versions(row, None, min(limit, MOST), offset)
        name = Subject("job", namespace, job)
        return marquez.JobVersions(
            versions=tuple(shapes.job_version(name, version, run) for version, run in found), total_count=count
        )

    return await answering.give(read)


@router.get("/namespaces/{namespace}/jobs/{job}/versions/{version}", summary="Give a version of a job")
def get_version(
    namespace: EncodedName, job: EncodedName, version: UUID, caller: Reader, session: Reading, view: View
) -> marquez.JobVersion:
    """Give a version of a job."""
    catalog = CatalogService(session, caller.sight, view)
    found, _ = catalog.job_versions(catalog.job_row(namespace, job), version, 1, 0)
    return shapes.job_version(Subject("job", namespace, job), *found[0])


@router.get("/namespaces/{namespace}/jobs/{job}/runs", response_model=marquez.Runs, summary="List the runs of a job")
async def get_runs(
    namespace: EncodedName,
    job: EncodedName,
    answering: Answered,
    view: View,
    limit: Part = 100,
    offset: Offset = 0,
) -> Response:
    """List the runs of a job, the newest first."""

    def read(session: Session) -> marquez.Runs:
        catalog = CatalogService(session, answering.caller.sight, view)
        found, count = catalog.runs_of(catalog.job_row(namespace, job), min(limit, MOST), offset)
        return marquez.Runs(runs=tuple(shapes.run(item) for item in found), total_count=count)

    return await answering.give(read)


@router.post("/namespaces/{namespace}/jobs/{job}/tags/{tag}", summary="Tag a job")
def post_tag(
    namespace: EncodedName, job: EncodedName, tag: EncodedTag, caller: Writer, session: Writing, now: Now
) -> marquez.Job:
    """Let a job bear a tag."""
    _written(caller, session, namespace, job)
    MarkingRepository(session, now).add_tag(Subject("job", namespace, job), "", checked(tag))
    return _shown(CatalogService(session, caller.writes), namespace, job)


@router.delete("/namespaces/{namespace}/jobs/{job}/tags/{tag}", summary="Take a tag from a job")
def delete_tag(
    namespace: EncodedName, job: EncodedName, tag: EncodedTag, caller: Writer, session: Writing, now: Now
) -> marquez.Job:
    """Take away a tag that somebody gave a job; one that an event gave stays."""
    _written(caller, session, namespace, job)
    MarkingRepository(session, now).remove_tag(Subject("job", namespace, job), "", tag)
    return _shown(CatalogService(session, caller.writes), namespace, job)


@router.get("/jobs/runs/{run_id}", summary="Give a run")
def get_run(run_id: UUID, caller: Reader, session: Reading) -> marquez.Run:
    """Give a run in Marquez's shape; ``/runs/{run_id}`` tells more of it."""
    return shapes.run(CatalogService(session, caller.sight).run(run_id))


@router.get("/jobs/runs/{run_id}/facets", summary="Give the facets of a run or of its job")
def get_facets(
    run_id: UUID,
    caller: Reader,
    session: Reading,
    kind: Annotated[Literal["run", "job", "RUN", "JOB"], Query(alias="type")],
) -> marquez.RunFacets:
    """Give the facets that a run's events said of it, or of its job."""
    catalog = CatalogService(session, caller.sight)
    run = catalog.run(run_id)
    facets = bodies(run.state.run_facets) if kind.lower() == "run" else catalog.job_facets(run)
    return marquez.RunFacets(run_id=run_id, facets=facets)


def _shown(catalog: CatalogService, namespace: str, job: str) -> marquez.Job:
    return shapes.job(catalog.describe_jobs([catalog.job_row(namespace, job)])[0])


def _written(caller: Caller, session: Session, namespace: str, job: str) -> JobTable:
    row = CatalogService(session, caller.sight).job_row(namespace, job)
    if not caller.may_write_namespace(namespace):
        raise ForbiddenError(f"{caller.name!r} may not write in the namespace {namespace!r}")
    return row
