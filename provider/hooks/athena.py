"""The hook to Athena: run a statement to its end, and read what it answers."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import AccessError, InputError, RefusedError, ServiceError
from festaf.provider.hooks.aws import AwsHook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUERY_SECONDS = 1800.0
"""How long a query may take when its author does not say: Athena's own limit for queries that read."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
LONGEST_QUERY = 262_144
"""Bytes that Athena takes as the text of a query."""


@dataclass(frozen=True)
class AthenaQuery:
    """A statement and where it runs."""

    sql: str
    database: str | None = None
    workgroup: str | None = None
    output: str | None = None
    """``s3://bucket/prefix`` for the results; None takes the connection's, then the workgroup's."""
    token: str | None = None
    """Makes the request one and the same when it is sent again: 32 to 128 characters."""


class AthenaHook(AwsHook):
    """Run statements in Athena; its parameters are those of AwsHook."""

    def run(
        self,
        query: AthenaQuery,
        timeout: float = QUERY_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> dict[str, Any]:
        """Run a statement to its end and give its QueryExecution.

        A statement that is not done at the deadline, or whose task is stopped, is cancelled.

        :param timeout: seconds
        :raises RefusedError: Athena does not take the statement, or it failed; with Athena's reason
        :raises AccessError: the credentials may not do what it asks
        :raises ServiceError: Athena throttles or fails, or the deadline passed; a retry may help
        """
        execution = self.start(query)
        deadline = clock() + timeout
        pause = FIRST_PAUSE
        try:
            while True:
                found = self.call("athena", "get_query_execution", QueryExecutionId=execution)["QueryExecution"]
                state = found["Status"]["State"]
                if state == "SUCCEEDED":
                    return dict(found)
                if state in {"FAILED", "CANCELLED"}:
                    raise _failure(found)
                if clock() > deadline:
                    raise ServiceError(
                        f"Query {execution} is {state} after {timeout:.0f} s", operation="GetQueryExecution"
                    )
                sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE)
        except (RefusedError, AccessError):
            raise
        except BaseException:
            self._cancel(execution)
            raise

    def start(self, query: AthenaQuery) -> str:
        """Start a statement (StartQueryExecution) and give its identity."""
        if len(query.sql.encode()) > LONGEST_QUERY:
            raise InputError(f"The query has {len(query.sql.encode()):,} bytes; Athena takes {LONGEST_QUERY:,}")
        asked: dict[str, Any] = {"QueryString": query.sql}
        if output := query.output or self.configured_output:
            asked["ResultConfiguration"] = {"OutputLocation": output}
        if query.database:
            asked["QueryExecutionContext"] = {"Database": query.database}
        if query.workgroup:
            asked["WorkGroup"] = query.workgroup
        if query.token:
            asked["ClientRequestToken"] = query.token
        return str(self.call("athena", "start_query_execution", **asked)["QueryExecutionId"])

    @property
    def configured_output(self) -> str | None:
        """Give where the connection says that results go: ``service_config``, ``athena``, ``output_location``."""
        found = self.conn_config.get_service_config("athena").get("output_location")
        return str(found) if found else None

    def rows(self, execution: str) -> Iterator[dict[str, str | None]]:
        """Read the rows of a SELECT by column, as Athena's text (GetQueryResults, 1,000 rows per call)."""
        names: list[str] = []
        for page in self.pages("athena", "get_query_results", QueryExecutionId=execution, MaxResults=1000):
            found = page["ResultSet"]["Rows"]
            if not names:
                names = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
                found = found[1:]
            for row in found:
                yield dict(zip(names, [item.get("VarCharValue") for item in row["Data"]], strict=True))

    def select(self, query: AthenaQuery, timeout: float = QUERY_SECONDS) -> list[dict[str, str | None]]:
        """Run a SELECT and give its rows by column, as Athena's text; for answers of moderate size."""
        return list(self.rows(str(self.run(query, timeout)["QueryExecutionId"])))

    def _cancel(self, execution: str) -> None:
        """Stop a statement that no one waits for any more; that it could not be stopped is only logged."""
        try:
            self.call("athena", "stop_query_execution", QueryExecutionId=execution)
        except (ServiceError, RefusedError, AccessError) as error:
            self.log.warning("Query %s could not be stopped: %s", execution, error)


def token_of(*parts: str) -> str:
    """Make a token for a request from what identifies it: the same parts give the same token."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _failure(found: dict[str, Any]) -> RefusedError | AccessError | ServiceError:
    status = found["Status"]
    reason = status.get("StateChangeReason") or "Athena gives no reason"
    text = f"Query {found['QueryExecutionId']} is {status['State']}: {reason}"
    plain = reason.lower().replace(" ", "")
    if "accessdenied" in plain or "insufficientpermissions" in plain:
        return AccessError(text)
    if (status.get("AthenaError") or {}).get("Retryable"):
        return ServiceError(text, operation="GetQueryExecution")
    return RefusedError(text, code=status["State"], operation="GetQueryExecution")
