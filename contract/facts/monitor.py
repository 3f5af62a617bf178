"""A monitor's report: what was watched, and what was found of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract import facets
from festaf.contract.facts.told import Told
from festaf.contract.monitor import MONITOR_FACET
from festaf.contract.names import artifact_dataset, artifact_uri

if TYPE_CHECKING:
    from festaf.contract.facts.told import Worker
    from festaf.contract.monitor import MonitorReport


def tell(report: MonitorReport, worker: Worker) -> Told:
    """Tell what was watched as the input, and the report as what came of it."""
    watched = artifact_uri("endpoint", report.project, report.endpoint) if report.endpoint else report.source
    return Told(
        artifact_dataset("monitor", report.project, report.monitor),
        output_facets={MONITOR_FACET: facets.own("monitor", "report", report)},
        inputs=(watched,),
    )
