"""``/experiments``: record runs, list and compare them, and check that nobody changed them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from festaf.contract.experiment import (
    Comparison,
    ExperimentEntry,
    ExperimentRun,
    ExperimentSummary,
    TrainingRecord,
    Verification,
)
from festaf.contract.http import Page
from festaf.registry_api.edge import Cursor, Limit, Now, Reader, Reading, SteadyReading, Writer, Writing
from festaf.registry_api.experiments.service import ExperimentService
from festaf.registry_api.secrets.masking import mask, mask_text

router = APIRouter(prefix="/experiments", tags=["experiments"])
Project = Annotated[str, Path(max_length=64)]
Name = Annotated[str, Path(max_length=256)]
Runs = Annotated[list[str], Query(alias="run", min_length=2, max_length=50, description="A run; give two or more")]


@router.get("", summary="List experiments")
def get_experiments(
    caller: Reader,
    session: Reading,
    project: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ExperimentSummary]:
    """List experiments with the number of their runs and the hash at the end of their chains."""
    return ExperimentService(session, caller.sight).list_experiments(project, cursor, limit)


@router.post(
    "",
    status_code=201,
    summary="Record a run",
    responses={200: {"description": "This very record stands already", "model": ExperimentRun}},
)
def post_record(
    record: TrainingRecord, caller: Writer, session: Writing, now: Now, response: Response
) -> ExperimentRun:
    """Append what is told of a run to its experiment's chain; the same again changes nothing."""
    caller.require_write(record.project)
    service = ExperimentService(session, caller.sight)
    if not service.record(_without_secrets(record), now, caller.name):
        response.status_code = 200
    return service.run(record.project, record.experiment, record.run)


@router.get("/{project}/{experiment}/runs", summary="List an experiment's runs")
def get_runs(
    project: Project,
    experiment: Name,
    caller: Reader,
    session: SteadyReading,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ExperimentRun]:
    """List runs, the newest first, with parameters, metrics, data, code and model."""
    return ExperimentService(session, caller.sight).list_runs(project, experiment, cursor, limit)


@router.get("/{project}/{experiment}/runs/{run}", summary="Tell what is recorded of a run")
def get_run(project: Project, experiment: Name, run: Name, caller: Reader, session: SteadyReading) -> ExperimentRun:
    """Give a run with everything that its entries say."""
    return ExperimentService(session, caller.sight).run(project, experiment, run)


@router.get("/{project}/{experiment}/runs/{run}/entries", summary="Give a run's entries as they were written")
def get_entries(
    project: Project, experiment: Name, run: Name, caller: Reader, session: Reading
) -> tuple[ExperimentEntry, ...]:
    """Give each entry with its hashes."""
    return ExperimentService(session, caller.sight).entries(project, experiment, run)


@router.get("/{project}/{experiment}/compare", summary="Compare runs")
def get_comparison(project: Project, experiment: Name, runs: Runs, caller: Reader, session: Reading) -> Comparison:
    """Lay runs beside each other, in the order in which they are named."""
    return ExperimentService(session, caller.sight).compare(project, experiment, runs)


@router.get("/{project}/{experiment}/verify", summary="Check an experiment's chain")
def get_verification(project: Project, experiment: Name, caller: Reader, session: SteadyReading) -> Verification:
    """Read the whole chain and tell whether it is as it was written, and if not, where it breaks."""
    return ExperimentService(session, caller.sight).verify(project, experiment)


def _without_secrets(record: TrainingRecord) -> TrainingRecord:
    """Mask what people type in; hashes, names and numbers stay as they are."""
    typed = mask({"parameters": record.parameters, "tags": record.tags, "reason": record.reason})
    data = tuple(item.model_copy(update={"uri": mask_text(item.uri)}) for item in record.data)
    code = record.code and record.code.model_copy(update={"uri": record.code.uri and mask_text(record.code.uri)})
    return record.model_copy(update={**typed, "data": data, "code": code})
