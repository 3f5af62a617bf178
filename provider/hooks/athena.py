"""The hook to Athena: start a query or find it again, wait for its end, read what it answers, and stop it.

A query that was started under a token is found again under it: a lost reply, or a worker that was killed, starts
nothing twice. https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from festaf.provider.errors import AccessError, InputError, RefusedError, ServiceError
from festaf.provider.hooks.aws import AwsHook
from festaf.provider.hooks.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERY_SECONDS = 1800.0
"""How long a query may take when its author does not say: Athena's own limit for queries that read."""
SAY_SECONDS = 30.0
"""How often a long wait says how far it is."""
FIRST_PAUSE = 0.1
LONGEST_QUERY = 262_144
"""Bytes that Athena takes as the text of a query."""
SUCCEEDED = "SUCCEEDED"
ENDED = {"FAILED", "CANCELLED"}
RUNNING = {"QUEUED", "RUNNING"}


@dataclass(frozen=True)
class AthenaQuery:
    """A statement and where it runs."""

    sql: str
    database: str | None = None
    workgroup: str | None = None
    output: str | None = None
    """``s3://bucket/prefix`` for the results; None takes the connection's, then the workgroup's."""
    token: str | None = None
    """Makes the request one and the same when it is sent again: 32 to 128 characters; None is one of its own."""


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


class AthenaHook(AwsHook):
    """Run statements in Athena; its parameters are those of AwsHook."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running: set[str] = set()
        """What was started or found running here and has not been seen to end."""

    @property
    def configured_output(self) -> str | None:
        """Give where the connection says that results go: ``service_config``, ``athena``, ``output_location``."""
        found = self.conn_config.get_service_config("athena").get("output_location")
        return str(found) if found else None

    def select(self, query: AthenaQuery, patience: Patience | None = None) -> list[dict[str, str | None]]:
        """Run a SELECT and give its rows by column, as Athena's text; for answers of moderate size."""
        patience = patience or _of_one_query()
        return list(self.rows(self.run(query, patience).identity, patience))

    def run(self, query: AthenaQuery, patience: Patience | None = None, what: str = "") -> Execution:
        """Run a statement until it has succeeded.

        A statement that is not done at the deadline, or that no one waits for any more, is stopped.

        :param what: what the statement does, for the log
        :raises RefusedError: Athena does not take the statement, or it failed; with Athena's reason
        :raises AccessError: the credentials may not do what it asks
        :raises ServiceError: Athena throttles or fails, or the deadline passed; a retry may help
        """
        patience = patience or _of_one_query()
        identity = self.start(query, patience)
        try:
            found = self.wait(identity, patience, what)
        except BaseException:
            if identity in self.running:
                self.stop(identity)
            raise
        if found.state != SUCCEEDED:
            raise failure(found, what)
        return found

    def start(self, query: AthenaQuery, patience: Patience | None = None) -> str:
        """Start a statement, or find the one that was started under its token, and give its id.

        :raises InputError: the statement is too long
        :raises RefusedError: Athena does not take it
        """
        if (size := len(query.sql.encode())) > LONGEST_QUERY:
            raise InputError(f"The query has {size:,} bytes, Athena takes {LONGEST_QUERY:,}: select fewer features")
        asked: dict[str, Any] = {"QueryString": query.sql, "ClientRequestToken": query.token or uuid4().hex}
        if output := query.output or self.configured_output:
            asked["ResultConfiguration"] = {"OutputLocation": output}
        if query.database:
            asked["QueryExecutionContext"] = {"Database": query.database}
        if query.workgroup:
            asked["WorkGroup"] = query.workgroup
        patience = patience or _of_one_query()
        answer = patience.ask(lambda: self.call("athena", "start_query_execution", **asked))
        identity = str(answer["QueryExecutionId"])
        self.running.add(identity)
        return identity

    def look(self, identity: str, patience: Patience | None = None) -> Execution | None:
        """Look at an execution; None when Athena does not know it (any more)."""
        patience = patience or _of_one_query()
        try:
            answer = patience.ask(lambda: self.call("athena", "get_query_execution", QueryExecutionId=identity))
        except RefusedError as error:
            if error.code == "InvalidRequestException":
                return None
            raise
        return Execution.of(answer)

    def wait(self, identity: str, patience: Patience, what: str = "") -> Execution:
        """Wait until an execution has ended, whichever way.

        :param what: what the statement does, for the log
        :raises ServiceError: it runs on at the deadline; it is stopped then. Or Athena does not know it
        """
        name, pause, said = _named(identity, what), FIRST_PAUSE, patience.clock()
        while True:
            found = self.look(identity, patience)
            if found is None or found.state not in RUNNING | ENDED | {SUCCEEDED}:
                state = "not known to Athena" if found is None else f"in the unknown state {found.state!r}"
                raise ServiceError(f"{name} is {state}", operation="GetQueryExecution")
            if found.state not in RUNNING:
                self.running.discard(identity)
                self.log.info("%s is %s, %s bytes scanned", name, found.state, f"{found.scanned_bytes:,}")
                return found
            if patience.is_over:
                self.stop(identity)
                raise ServiceError(
                    f"{name} was still {found.state} after {patience.timeout:.0f} s and was stopped",
                    operation="GetQueryExecution",
                )
            if patience.clock() - said >= SAY_SECONDS:
                said = patience.clock()
                self.log.info("%s is %s, %s bytes scanned", name, found.state, f"{found.scanned_bytes:,}")
            patience.sleep(pause)
            pause = min(pause * 1.3, patience.poll_interval)

    def rows(self, identity: str, patience: Patience | None = None) -> Iterator[dict[str, str | None]]:
        """Read the rows of a SELECT that succeeded, by column, as Athena's text (GetQueryResults, 1,000 per call)."""
        patience = patience or _of_one_query()
        asked: dict[str, Any] = {"QueryExecutionId": identity, "MaxResults": 1000}
        names: list[str] = []
        while True:
            page = patience.ask(lambda: self.call("athena", "get_query_results", **asked))
            found = page["ResultSet"]["Rows"]
            if not names:
                names = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
                found = found[1:]
            for row in found:
                yield dict(zip(names, [item.get("VarCharValue") for item in row["Data"]], strict=True))
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def stop(self, identity: str) -> None:
        """Ask Athena to cancel an execution (StopQueryExecution); that it could not be stopped is only logged."""
        self.running.discard(identity)
        try:
            self.call("athena", "stop_query_execution", QueryExecutionId=identity)
        except (ServiceError, RefusedError, AccessError) as error:
            self.log.warning("Query %s is not stopped: %s", identity, error)
        else:
            self.log.info("Asked Athena to cancel query %s", identity)

    def stop_all(self) -> None:
        """Cancel everything that was started here and may still run."""
        for identity in sorted(self.running):
            self.stop(identity)


def failure(found: Execution, what: str = "") -> ServiceError | RefusedError | AccessError:
    """Say why an execution did not succeed: a ServiceError when another try may."""
    reason = found.reason or "Athena gives no reason"
    text = f"{_named(found.identity, what)} is {found.state}: {reason}"
    plain = reason.lower().replace(" ", "")
    if "accessdenied" in plain or "insufficientpermissions" in plain:
        return AccessError(text)
    if found.state == "CANCELLED" or found.retryable:
        return ServiceError(text, code=found.state, operation="StartQueryExecution")
    return RefusedError(text, code=found.state, operation="StartQueryExecution")


def _named(identity: str, what: str) -> str:
    return f"Query {identity} ({what})" if what else f"Query {identity}"


def _of_one_query() -> Patience:
    """Give what a query has when no one says: its time, and no more tries than botocore's own."""
    return Patience(QUERY_SECONDS, through_trouble=False)
