"""Start a query under a token, wait for it, read its rows, and stop it.

A query that was started under a token is found again under it: a lost reply, or a worker that was killed, starts
nothing twice. https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from festaf.provider.errors import AccessError, RefusedError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.aws import AwsHook

SUCCEEDED = "SUCCEEDED"
ENDED = {"FAILED", "CANCELLED"}
RUNNING = {"QUEUED", "RUNNING"}
SAY_SECONDS = 30.0
"""How often a long wait says how far it is."""
FIRST_PAUSE = 0.1
LONGEST_QUERY = 262_144
"""Bytes of a query that Athena takes."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Execution:
    """A query execution as GetQueryExecution tells it."""

    identity: str
    state: str
    """QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED."""
    reason: str | None = None
    retryable: bool = False
    """Whether Athena says, or its kind of error means, that the same query may succeed later."""
    scanned_bytes: int = 0

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Execution:
        """Read GetQueryExecution's answer; an error of category 1 is Athena's own."""
        found = answer["QueryExecution"]
        status = found["Status"]
        error = status.get("AthenaError") or {}
        return cls(
            identity=found["QueryExecutionId"],
            state=status["State"],
            reason=status.get("StateChangeReason"),
            retryable=bool(error.get("Retryable")) or error.get("ErrorCategory") == 1,
            scanned_bytes=int((found.get("Statistics") or {}).get("DataScannedInBytes") or 0),
        )


@dataclass
class Athena:
    """Athena as one task uses it.

    :param output: ``s3://`` folder of the queries' own results; None leaves it to the connection or the workgroup
    :param timeout: seconds from now after which every wait of this object ends
    :param poll_interval: most seconds between two looks
    """

    hook: AwsHook
    log: Logger
    workgroup: str | None = None
    output: str | None = None
    timeout: float = 7200.0
    poll_interval: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    running: set[str] = field(default_factory=set)
    """What was started or found running here and has not been seen to end."""

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.timeout

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again while AWS throttles, fails or does not answer, until the deadline.

        :raises ServiceError: it does so to the end
        """
        pause = 0.5
        while True:
            try:
                return ask()
            except ServiceError as error:
                if self.clock() + pause > self._deadline:
                    raise
                self.log.info("%s; asking again in %.1f s", error, pause)
                self.sleep(pause)
                pause = min(pause * 2, 20.0)

    def start(self, sql: str, token: str, database: str | None = None) -> str:
        """Start a query, or find the one that was started under this token, and give its id.

        :param token: 32 to 128 characters
        :raises RefusedError: Athena does not take the query
        """
        if len(sql.encode()) > LONGEST_QUERY:
            raise RefusedError(
                f"The query has {len(sql.encode()):,} bytes, Athena takes {LONGEST_QUERY:,}: select fewer features",
                operation="StartQueryExecution",
            )
        asked: dict[str, Any] = {"QueryString": sql, "ClientRequestToken": token}
        if output := self.output or self.hook.conn_config.get_service_config("athena").get("output_location"):
            asked["ResultConfiguration"] = {"OutputLocation": str(output)}
        if self.workgroup:
            asked["WorkGroup"] = self.workgroup
        if database:
            asked["QueryExecutionContext"] = {"Database": database}
        answer = self.patiently(lambda: self.hook.call("athena", "start_query_execution", **asked))
        identity = str(answer["QueryExecutionId"])
        self.running.add(identity)
        return identity

    def look(self, identity: str) -> Execution | None:
        """Look at an execution; None when Athena does not know it (any more)."""
        try:
            answer = self.patiently(lambda: self.hook.call("athena", "get_query_execution", QueryExecutionId=identity))
        except RefusedError as error:
            if error.code == "InvalidRequestException":
                return None
            raise
        return Execution.of(answer)

    def wait(self, identity: str, what: str) -> Execution:
        """Wait until an execution has ended, whichever way.

        :param what: what the query does, for the log
        :raises ServiceError: it runs on at the deadline; it is stopped then. Or Athena does not know it
        """
        pause, said = FIRST_PAUSE, self.clock()
        while True:
            found = self.look(identity)
            if found is None or found.state not in RUNNING | ENDED | {SUCCEEDED}:
                state = "not known to Athena" if found is None else f"in the unknown state {found.state!r}"
                raise ServiceError(f"Query {identity} ({what}) is {state}", operation="GetQueryExecution")
            if found.state not in RUNNING:
                self.running.discard(identity)
                self.log.info("Query %s (%s) is %s, %s bytes scanned", identity, what, found.state, _count(found))
                return found
            if self.clock() > self._deadline:
                self.stop(identity)
                raise ServiceError(
                    f"Query {identity} ({what}) was still {found.state} after {self.timeout:.0f} s and was stopped",
                    operation="GetQueryExecution",
                )
            if self.clock() - said >= SAY_SECONDS:
                said = self.clock()
                self.log.info("Query %s (%s) is %s, %s bytes scanned", identity, what, found.state, _count(found))
            self.sleep(pause)
            pause = min(pause * 1.3, self.poll_interval)

    def rows(self, identity: str) -> Iterator[tuple[str | None, ...]]:
        """Read the rows of a SELECT that succeeded, without the header, as text (GetQueryResults)."""
        asked: dict[str, Any] = {"QueryExecutionId": identity}
        header = True
        while True:
            page = self.patiently(lambda: self.hook.call("athena", "get_query_results", **asked))
            for row in page["ResultSet"]["Rows"]:
                if not header:
                    yield tuple(item.get("VarCharValue") for item in row["Data"])
                header = False
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def stop(self, identity: str) -> None:
        """Ask Athena to cancel an execution (StopQueryExecution); one that has ended stays as it is."""
        self.running.discard(identity)
        try:
            self.hook.call("athena", "stop_query_execution", QueryExecutionId=identity)
        except (RefusedError, ServiceError) as error:
            self.log.warning("Query %s is not stopped: %s", identity, error)
        else:
            self.log.info("Asked Athena to cancel query %s", identity)

    def stop_all(self) -> None:
        """Cancel everything that was started here and may still run."""
        for identity in sorted(self.running):
            self.stop(identity)


def failure(found: Execution, what: str) -> ServiceError | RefusedError | AccessError:
    """Say why an execution did not succeed: a ServiceError when another try may."""
    reason = found.reason or "Athena gives no reason"
    text = f"Query {found.identity} ({what}) is {found.state}: {reason}"
    if found.state == "CANCELLED" or found.retryable:
        return ServiceError(text, code=found.state, operation="StartQueryExecution")
    if "access denied" in reason.lower() or "accessdenied" in reason.lower():
        return AccessError(text)
    return RefusedError(text, code=found.state, operation="StartQueryExecution")


def _count(found: Execution) -> str:
    return f"{found.scanned_bytes:,}"
