"""One query execution and its states."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from festaf.local_aws.athena.engine import Engine

if TYPE_CHECKING:
    from festaf.local_aws.athena.statement import Statement

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
ENGINE_VERSION = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@dataclass
class Execution:
    """A query that was started; its states only go forward."""

    identity: str
    region: str
    statement: Statement
    parameters: tuple[str, ...]
    database: str
    context: dict[str, str]
    """QueryExecutionContext as it was given."""
    work_group: str
    configuration: dict[str, Any]
    """ResultConfiguration with the location of this query's own file."""
    submitted: float
    """Epoch seconds, as are the other times."""
    state: State = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    started: float | None = None
    completed: float | None = None
    scanned: int = 0
    enforced: bool = False
    """Whether the workgroup insists on its own output location."""
    manifest: str | None = None
    """URI of the list of files that the statement wrote."""
    engine: Engine = field(default_factory=Engine)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def output(self) -> str:
        """Give the S3 URI of the result's file."""
        return str(self.configuration["OutputLocation"])

    @property
    def done(self) -> bool:
        """Say whether the state is final."""
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")

    def begin(self, now: float) -> bool:
        """Go from QUEUED to RUNNING; False when it was cancelled before."""
        with self._lock:
            if self.state != "QUEUED":
                return False
            self.state, self.started = "RUNNING", now
            return True

    def end(self, state: State, now: float, reason: str | None = None, error: dict[str, Any] | None = None) -> None:
        """Take a final state, unless one is taken."""
        with self._lock:
            if not self.done:
                self.state, self.completed, self.reason, self.error = state, now, reason, error

    def describe(self) -> dict[str, Any]:
        """Give the execution as GetQueryExecution does."""
        with self._lock:
            status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": _moment(self.submitted)}
            if self.completed is not None:
                status["CompletionDateTime"] = _moment(self.completed)
            if self.reason:
                status["StateChangeReason"] = self.reason
            if self.error:
                status["AthenaError"] = self.error
            statistics = self._statistics()
        described = {
            "QueryExecutionId": self.identity,
            "Query": self.statement.text,
            "StatementType": self.statement.kind,
            "SubstatementType": self.statement.subtype,
            "ResultConfiguration": self.configuration,
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": statistics,
            "WorkGroup": self.work_group,
            "EngineVersion": ENGINE_VERSION,
        }
        if self.parameters:
            described["ExecutionParameters"] = list(self.parameters)
        return described

    def _statistics(self) -> dict[str, Any]:
        started = self.submitted if self.started is None else self.started
        completed = started if self.completed is None else self.completed
        written = {"DataManifestLocation": self.manifest} if self.manifest else {}
        return written | {
            "EngineExecutionTimeInMillis": round((completed - started) * 1000),
            "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": round((completed - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "ServiceProcessingTimeInMillis": 0,
        }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
