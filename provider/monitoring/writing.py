"""Write a finding as JSON, for programs, and as a page, for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from festaf.provider.monitoring.page import render
from festaf.provider.monitoring.store import below

if TYPE_CHECKING:
    from festaf.contract.monitor import MonitorReport
    from festaf.provider.monitoring.monitor import Finding
    from festaf.provider.monitoring.store import Store


def write_report(store: Store, folder: str, finding: Finding) -> MonitorReport:
    """Write both files below a folder, named by the window's end, and tell where.

    ``latest.json`` and ``latest.html`` are the same once more, under names that stay.
    """
    name = f"{finding.report.until or finding.report.measured_at:%Y%m%dT%H%M%SZ}"
    place = below(folder, finding.report.monitor)
    report = finding.report.model_copy(
        update={"report_json": below(place, f"{name}.json"), "report_html": below(place, f"{name}.html")}
    )
    document = {
        "report": report.model_dump(mode="json"),
        "baseline": finding.base.model_dump(mode="json"),
        "window": finding.now.model_dump(mode="json"),
    }
    content = json.dumps(document, indent=1).encode()
    page = render(report, finding.base, finding.now).encode()
    for stem in (name, "latest"):
        store.write(below(place, f"{stem}.json"), content, "application/json")
        store.write(below(place, f"{stem}.html"), page, "text/html; charset=utf-8")
    return report
