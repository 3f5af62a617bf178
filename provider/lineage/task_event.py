"""From a task instance to OpenLineage events: one for the try that ended, one for what its DAG run was started by."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from festaf.contract import facets
from festaf.contract.dag_package import PACKAGE_FACET
from festaf.contract.datasets import input_datasets
from festaf.contract.experiment import EXPERIMENT_FACET
from festaf.contract.facts.told import Worker
from festaf.contract.names import dag_run_id, owners_of, task_run_id
from festaf.contract.openlineage import (
    DAG_FACET,
    PRODUCER,
    RUN_EVENT_SCHEMA,
    TASK_FACET,
    DagSnapshot,
    EventType,
    Job,
    Run,
    RunEvent,
    TaskRun,
)
from festaf.provider.lineage import datasets
from festaf.provider.lineage.declared import declared_of
from festaf.provider.lineage.extraction import Extracted, extract, joined
from festaf.provider.lineage.package import package_of
from festaf.provider.lineage.schedule import awaited_assets, schedule_text
from festaf.provider.lineage.source import DagFile, dag_file, function_source, masked
from festaf.provider.lineage.training_job import training_record

if TYPE_CHECKING:
    from uuid import UUID

    from festaf.contract.datasets import Attached
    from festaf.provider.lineage.settings import LineageSettings

MAX_MESSAGE = 4_000
MAX_STACK = 20_000


@dataclass(frozen=True)
class Ended:
    """How a try ended."""

    type: EventType
    state: str
    error: BaseException | str | None = None


class TaskCapture:
    """Reads one task instance as the task's own process has it.

    :param task_instance: the ``RuntimeTaskInstance`` that Airflow gives to listeners
    """

    def __init__(self, task_instance: Any, settings: LineageSettings) -> None:
        self._ti = task_instance
        self._settings = settings
        self._context = task_instance.get_template_context()
        self._task = task_instance.task
        self._dag = task_instance.task.dag
        self._dag_run = self._context["dag_run"]
        bundle = getattr(task_instance, "bundle_instance", None)
        self._bundle_name: str | None = getattr(bundle, "name", None)
        self._bundle_version: str | None = getattr(bundle, "version", None)
        self._package = package_of(bundle)
        self._file: DagFile = dag_file(self._dag, getattr(bundle, "path", None))

    def task_event(self, ended: Ended) -> RunEvent:
        """Tell that a try ended, and what it read and wrote."""
        worker = Worker(self._file.sha256, self._bundle_name, self._bundle_version)
        attached = datasets.attached_to(self._context["outlet_events"], worker)
        skipped = ended.type is EventType.ABORT
        said = Extracted() if skipped else self._said(attached, failed=ended.type is EventType.FAIL)
        return RunEvent(
            event_type=ended.type,
            event_time=self._ti.end_date or datetime.now(UTC),
            producer=PRODUCER,
            schema_url=RUN_EVENT_SCHEMA,
            run=Run(run_id=self._run_id(), facets=masked(said.run_facets) | self._run_facets(ended)),
            job=Job(
                namespace=self._settings.namespace,
                name=f"{self._ti.dag_id}.{self._ti.task_id}",
                facets=self._without_code(masked(said.job_facets)) | self._job_facets(),
            ),
            inputs=said.inputs,
            outputs=said.outputs,
        )

    def _said(self, attached: Attached, *, failed: bool) -> Extracted:
        """Put together what the task said itself and what its operator knows; where both speak, the task stands."""
        read = [*self._task.inlets, *(SimpleNamespace(uri=uri) for uri in declared_of(self._task).consumed)]
        own = Extracted(datasets.inputs(read, attached), datasets.outputs(self._task.outlets, attached))
        return joined(own, extract(self._task, self._ti, failed=failed, seconds=self._settings.extraction_timeout))

    def _without_code(self, given: dict[str, facets.Facet]) -> dict[str, facets.Facet]:
        hidden = set() if self._settings.send_source else {"sql", "sourceCode"}
        return {name: facet for name, facet in given.items() if name not in hidden}

    def trigger_event(self) -> RunEvent | None:
        """Tell which assets started the DAG run; None unless assets did and this is one of its first tasks.

        The event is the same from whichever task and try it comes, so that it is one fact in the registry.
        """
        if self._task.upstream_task_ids:
            return None
        uris = [event.asset.uri for event in getattr(self._dag_run, "consumed_asset_events", ())]
        inputs = input_datasets(uris)
        if not inputs:
            return None
        return RunEvent(
            event_type=EventType.RUNNING,
            event_time=self._dag_run.start_date or self._dag_run.run_after,
            producer=PRODUCER,
            schema_url=RUN_EVENT_SCHEMA,
            run=Run(run_id=self._dag_run_id(), facets={}),
            job=Job(
                namespace=self._settings.namespace,
                name=self._ti.dag_id,
                facets={
                    "jobType": facets.job_type("DAG"),
                    DAG_FACET: facets.own("openlineage", "dag", self._snapshot()),
                },
            ),
            inputs=inputs,
        )

    @property
    def _moment(self) -> datetime:
        moment: datetime = self._dag_run.logical_date or self._dag_run.run_after
        return moment

    def _run_id(self) -> UUID:
        return task_run_id(
            namespace=self._settings.namespace,
            dag_id=self._ti.dag_id,
            task_id=self._ti.task_id,
            try_number=self._ti.try_number,
            map_index=_map_index(self._ti),
            moment=self._moment,
        )

    def _dag_run_id(self) -> UUID:
        return dag_run_id(
            namespace=self._settings.namespace,
            dag_id=self._ti.dag_id,
            clear_number=self._dag_run.clear_number or 0,
            moment=self._moment,
        )

    def _run_facets(self, ended: Ended) -> dict[str, facets.Facet]:
        task_run = TaskRun(
            dag_id=self._ti.dag_id,
            task_id=self._ti.task_id,
            run_id=self._ti.run_id,
            try_number=self._ti.try_number,
            map_index=_map_index(self._ti),
            operator=getattr(self._task, "operator_name", None) or self._task.task_type,
            state=ended.state,
            started_at=self._ti.start_date,
            ended_at=self._ti.end_date,
            logical_date=self._dag_run.logical_date,
            run_after=self._dag_run.run_after,
            run_type=_plain(self._dag_run.run_type),
            dag_version_id=getattr(self._ti, "dag_version_id", None),
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
            hostname=getattr(self._ti, "hostname", None) or None,
        )
        result = {
            "parent": facets.parent(self._settings.namespace, self._ti.dag_id, self._dag_run_id()),
            TASK_FACET: facets.own("openlineage", "task", task_run),
        }
        if start := self._dag_run.data_interval_start or self._dag_run.logical_date:
            result["nominalTime"] = facets.nominal_time(start, self._dag_run.data_interval_end)
        if self._package is not None:
            result[PACKAGE_FACET] = facets.own("dag_package", "package", self._package)
        if ended.error is not None:
            result["errorMessage"] = error_facet(ended.error)
        if record := training_record(self._task, task_run, result.get("errorMessage", {}).get("message")):
            result[EXPERIMENT_FACET] = facets.own("experiment", "experiment", record)
        return result

    def _job_facets(self) -> dict[str, facets.Facet]:
        result = {
            "jobType": facets.job_type("TASK"),
            DAG_FACET: facets.own("openlineage", "dag", self._snapshot()),
        }
        if owners := owners_of(self._task.owner):
            result["ownership"] = facets.job_ownership(owners)
        if documentation := _documentation(self._task):
            result["documentation"] = facets.job_documentation(*documentation)
        function = getattr(self._task, "python_callable", None)
        if self._settings.send_source and (text := function_source(function)):
            result["sourceCode"] = facets.source_code(masked(text))
        return result

    def _snapshot(self) -> DagSnapshot:
        awaited = awaited_assets(self._dag.timetable)
        return DagSnapshot(
            dag_id=self._ti.dag_id,
            dag_version_id=getattr(self._ti, "dag_version_id", None),
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
            path=self._file.path,
            source=masked(self._file.text) if self._settings.send_source else None,
            owners=owners_of(self._dag.owner),
            tags=tuple(sorted(self._dag.tags)),
            description=self._dag.description,
            schedule=schedule_text(self._dag.timetable),
            waits_for=awaited,
            without=() if awaited else ("waits_for",),
        )


def error_facet(error: BaseException | str) -> facets.Facet:
    """Say why a try failed, with Airflow's known secrets masked."""
    from airflow.providers.common.compat.sdk import redact

    stack = None
    if isinstance(error, BaseException):
        stack = str(redact("".join(traceback.format_exception(error))[-MAX_STACK:]))
        error = f"{type(error).__name__}: {error}"
    return facets.error_message(str(redact(error[:MAX_MESSAGE])), stack)


def _documentation(task: Any) -> tuple[str, str] | None:
    """Find what the author wrote about a task, with its content type."""
    for attribute, content_type in (
        ("doc_md", "text/markdown"),
        ("doc", "text/plain"),
        ("doc_rst", "text/x-rst"),
    ):
        if text := getattr(task, attribute, None):
            return text, content_type
    return None


def _map_index(task_instance: Any) -> int:
    index = task_instance.map_index
    return -1 if index is None else int(index)


def _plain(value: object) -> str | None:
    """Give an enumeration's value."""
    return None if value is None else str(getattr(value, "value", value))
