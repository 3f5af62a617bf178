"""Read what an execution found, and tell it as a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from festaf.contract.monitor import Check, MonitorReport, Violation
from festaf.provider.errors import FailedArtifactError, NotReadyError

if TYPE_CHECKING:
    from datetime import datetime

    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.monitoring import Execution, MonitoringHook

MEASURED = frozenset({"Completed", "CompletedWithViolations"})
ENDED = MEASURED | {"Failed", "Stopped"}
CHECKS = frozenset(get_args(Check))


@dataclass(frozen=True)
class Reading:
    """Reads the executions of one schedule."""

    hook: MonitoringHook
    schedule: str

    def wait_for_next(self, before: Execution | None, patience: Patience) -> Execution:
        """Wait until an execution that was due later than another has ended.

        :raises FailedArtifactError: it failed or was stopped
        :raises NotReadyError: the deadline passed
        """

        def attempt() -> Execution | None:
            found = self.hook.last_execution(self.schedule)
            if found is None or found.status not in ENDED:
                return None
            return None if before is not None and found.scheduled_at <= before.scheduled_at else found

        found = patience.until(
            attempt,
            lambda: NotReadyError(
                f"Monitoring schedule {self.schedule}", "executed", ("no execution has ended",), patience.seconds
            ),
        )
        if found.status not in MEASURED:
            raise FailedArtifactError(f"Execution of {self.schedule}", found.status, found.failure_reason)
        return found

    def report(
        self, execution: Execution | None, project: str, endpoint: str, source: str, baseline: str, now: datetime
    ) -> MonitorReport:
        """Tell what an execution found; None, and one that did not measure, found nothing."""
        about: dict[str, Any] = {
            "project": project,
            "monitor": self.schedule,
            "endpoint": endpoint,
            "source": source,
            "baseline": baseline,
        }
        if execution is None or execution.status not in MEASURED:
            words = "no execution yet" if execution is None else f"execution of {execution.scheduled_at:%Y-%m-%d %H:%M}"
            return MonitorReport(**about, window=words, rows=0, measured_at=now, verdict="not_measured")
        folder = self._results(execution)
        document = self._json(f"{folder}/constraint_violations.json") if folder else None
        violations = tuple(map(_violation, (document or {}).get("violations", ())))
        statistics = self._json(f"{folder}/statistics.json") if folder else None
        return MonitorReport(
            **about,
            window=f"captured before {execution.scheduled_at:%Y-%m-%d %H:%M} UTC",
            rows=int(((statistics or {}).get("dataset") or {}).get("item_count") or 0),
            until=execution.scheduled_at,
            measured_at=execution.modified_at,
            verdict="drifted" if execution.status == "CompletedWithViolations" else "steady",
            violations=violations,
            report_json=f"{folder}/constraint_violations.json" if folder and document else None,
        )

    def _results(self, execution: Execution) -> str | None:
        """Find the folder of an execution's files, as its processing job tells it."""
        job = self.hook.processing_job((execution.processing_job or "").rpartition("/")[2])
        if job is None:
            return None
        output = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
        return str(output["S3Uri"]).rstrip("/")

    def _json(self, uri: str) -> dict[str, Any] | None:
        content = self.hook.read_object(uri)
        found: dict[str, Any] | None = json.loads(content) if content else None
        return found


def _violation(item: dict[str, Any]) -> Violation:
    check = item.get("constraint_check_type", "")
    name = item.get("feature_name", "").strip() or None
    return Violation(
        check=check if check in CHECKS else "other",
        feature=name,
        message=f"{name}: {item.get('description', check)}" if name else item.get("description", check),
    )
