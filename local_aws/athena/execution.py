"""One query execution and its states."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from festaf.local_aws.athena.engine import CancelledError, Engine
from festaf.local_aws.athena.work_groups import ENGINE_VERSION

if TYPE_CHECKING:
    from festaf.local_aws.athena.statement import Statement

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]


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
    reuse: dict[str, Any] | None = None
    """ResultReuseConfiguration as it was given; no result is used again."""
    state: State = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    started: float | None = None
    completed: float | None = None
    scanned: int = 0
    """Bytes of the files that were read."""
    rows_read: int = 0
    rows_given: int = 0
    bytes_given: int = 0
    cutoff: int | None = None
    """How many bytes the workgroup allows to scan."""
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

    def go_on(self) -> None:
        """Do nothing, unless the execution has ended meanwhile.

        :raises CancelledError: it has
        """
        if self.done:
            raise CancelledError

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
        if self.reuse is not None:
            described["ResultReuseConfiguration"] = self.reuse
        if self.parameters and not self.statement.values:
            described["ExecutionParameters"] = list(self.parameters)
        return described

    def runtime(self) -> dict[str, Any]:
        """Give times and rows as GetQueryRuntimeStatistics does."""
        timeline = self._timeline() | {"ServicePreProcessingTimeInMillis": 0, "QueryPlanningTimeInMillis": 0}
        rows = {"InputRows": self.rows_read, "InputBytes": self.scanned}
        return {"Timeline": timeline, "Rows": rows | {"OutputRows": self.rows_given, "OutputBytes": self.bytes_given}}

    def _statistics(self) -> dict[str, Any]:
        written = {"DataManifestLocation": self.manifest} if self.manifest else {}
        reused = {"ReusedPreviousResult": False}
        return self._timeline() | written | {"DataScannedInBytes": self.scanned, "ResultReuseInformation": reused}

    def _timeline(self) -> dict[str, Any]:
        started = self.submitted if self.started is None else self.started
        completed = started if self.completed is None else self.completed
        return {
            "EngineExecutionTimeInMillis": round((completed - started) * 1000),
            "TotalExecutionTimeInMillis": round((completed - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "ServiceProcessingTimeInMillis": 0,
        }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
