"""Airflow's listener: tells the registry how tasks and DAG runs ended.

Nothing is imported or done before a task has ended: Airflow loads this module in every task's process. Whatever happens
here, the task and the scheduler go on: each hook catches everything and logs it.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.lineage.capture import Capture
    from festaf.provider.lineage.courier import Courier
    from festaf.provider.lineage.dag_version import DagVersions

log = logging.getLogger(__name__)


class LineageListener:
    """The hooks; Airflow calls them with what their signatures name."""

    def __init__(self) -> None:
        self._capture: Capture | None = None
        self._courier: Courier | None = None
        self._versions: DagVersions | None = None

    @hookimpl
    def on_starting(self, component: object) -> None:
        """Start the courier in the scheduler, the triggerer and the DAG processor; a task's process has none."""
        if type(component).__name__ == "Job":
            with border():
                warm()
                self._living().start()

    @hookimpl
    def before_stopping(self, component: object) -> None:
        """End the courier."""
        if self._courier and type(component).__name__ == "Job":
            with border():
                self._courier.stop()

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Tell that a task succeeded."""
        self._task_ended(task_instance, "COMPLETE", "success")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: BaseException | str | None) -> None:
        """Tell that a try failed, whether another follows or not."""
        self._task_ended(task_instance, "FAIL", "failed", error)

    @hookimpl(optionalhook=True)
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """Tell that a task skipped itself; Airflow 3.1 does not call it."""
        self._task_ended(task_instance, "ABORT", "skipped")

    @hookimpl
    def on_dag_run_running(self, dag_run: Any) -> None:
        """Tell that a DAG run started."""
        self._dag_run(dag_run, "START")

    @hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:
        """Tell that a DAG run succeeded."""
        self._dag_run(dag_run, "COMPLETE")

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Tell that a DAG run failed."""
        self._dag_run(dag_run, "FAIL", msg)

    def _task_ended(self, task_instance: Any, kind: str, state: str, error: BaseException | str | None = None) -> None:
        with border():
            from festaf.contract.openlineage import EventType
            from festaf.provider.lineage.task_event import Ended

            ended = Ended(EventType(kind), getattr(task_instance.state, "value", None) or state, error)
            if hasattr(task_instance, "_sa_instance_state"):
                from festaf.provider.lineage.dag_event import outside_event

                self._hand_over(outside_event(task_instance, ended, self._ready().settings))
            else:
                self._ready().task_ended(task_instance, ended)

    def _dag_run(self, dag_run: Any, kind: str, message: str = "") -> None:
        with border():
            from festaf.contract.openlineage import EventType
            from festaf.provider.lineage.dag_event import dag_run_event

            version = self._dag_versions().of(dag_run)
            self._hand_over(dag_run_event(dag_run, EventType(kind), version, self._ready().settings, message))

    def _hand_over(self, event: Any) -> None:
        """Keep an event without waiting for the disk, and let the courier carry it."""
        self._living().wake(self._ready().keep([event], durable=False))

    def _ready(self) -> Capture:
        if self._capture is None:
            from festaf.provider.lineage.capture import Capture

            self._capture = Capture.configured()
        return self._capture

    def _dag_versions(self) -> DagVersions:
        if self._versions is None:
            from festaf.provider.lineage.dag_version import DagVersions

            self._versions = DagVersions()
        return self._versions

    def _living(self) -> Courier:
        if self._courier is None:
            from festaf.provider.lineage.courier import Courier

            self._courier = Courier(self._ready)
        return self._courier


def warm() -> None:
    """Import what a task needs when it ends, so that the tasks which an executor forks from here have it already."""
    import festaf.client.sender
    import festaf.provider.lineage.capture
    import festaf.provider.lineage.task_event  # noqa: F401


@contextmanager
def border() -> Iterator[None]:
    """Let nothing out: lineage must never fail a task or stop a scheduler."""
    try:
        yield
    except BaseException:
        log.warning("Lineage could not be captured", exc_info=True)
