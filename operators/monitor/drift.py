"""What drift does, as the author of a monitor chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import Asset

from festaf.provider.assets import artifact_asset, attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.contract.monitor import MonitorReport
    from festaf.operators.task import ArtifactTask

OnDrift = Literal["asset", "fail", "skip", "report"]
CHOICES = ("asset", "fail", "skip", "report")


def check_drift(on_drift: str, monitor: str, project: str, outlets: Sequence[Any]) -> None:
    """Find what the author did not mean, before anything is measured.

    :raises InputError: the choice is none, or the monitor's asset is an outlet
    """
    from festaf.provider.errors import InputError

    if on_drift not in CHOICES:
        raise InputError(f"on_drift is {on_drift!r}: write one of {', '.join(CHOICES)}")
    uri = artifact_asset("monitor", monitor, project).uri
    if any(isinstance(outlet, Asset) and outlet.uri == uri for outlet in outlets):
        raise InputError(
            f"Leave asset {uri} out of the outlets: Airflow would tell its readers after every run, not on drift"
        )


def act(task: ArtifactTask, report: MonitorReport, context: Context) -> None:
    """Tell the registry of the report, and let drift have its consequence.

    :raises DriftError: drift, and the choice is ``fail``
    :raises AirflowSkipException: drift, and the choice is ``skip``
    """
    from airflow.providers.common.compat.sdk import AirflowSkipException

    from festaf.provider.errors import DriftError

    on_drift = getattr(task, "on_drift", "report")
    for violation in report.violations:
        task.log.warning("Drift: %s", violation.message)
    if not report.violations:
        task.log.info("%s is %s: %s rows", report.monitor, report.verdict.replace("_", " "), f"{report.rows:,}")
    if report.drifted and on_drift == "fail":
        where = report.report_html or report.report_json
        raise DriftError(report.monitor, tuple(item.message for item in report.violations), where)
    # An asset of its own for the reports: it moves after every run, drifted or not.
    attach(context, task.outlets, artifact_asset("monitor", f"{report.monitor}/report", report.project), report)
    if report.drifted and on_drift == "asset":
        attach(context, task.outlets, artifact_asset("monitor", report.monitor, report.project), report)
    if report.drifted and on_drift == "skip":
        first = report.violations[0].message if report.violations else "AWS names no violation"
        raise AirflowSkipException(f"{report.monitor} drifted: {first}")
