"""The executions that were started, the latest of them, also after a restart."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from festaf.local_aws.athena.execution import Execution
from festaf.local_aws.athena.paging import invalid
from festaf.local_aws.athena.statement import Statement

if TYPE_CHECKING:
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

KIND = "athena-query"
KEPT_EXECUTIONS = 5000
_FACTS = (
    "parameters",
    "database",
    "context",
    "work_group",
    "configuration",
    "reuse",
    "submitted",
    "state",
    "reason",
    "error",
    "started",
    "completed",
    "scanned",
    "rows_read",
    "rows_given",
    "bytes_given",
    "enforced",
    "cutoff",
    "manifest",
)


class History:
    """Keeps executions and the tokens that started them; safe to call from several threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Take the executions of an earlier run; those that had not ended fail, and can be asked again."""
        for kept in sorted(self._resources.all(KIND), key=lambda one: one.facts["submitted"]):
            execution = _from_resource(kept)
            self._executions[execution.identity] = execution
            if kept.request.get("ClientRequestToken"):
                asked = {key: value for key, value in kept.request.items() if key != "ClientRequestToken"}
                self._tokens[kept.region, kept.request["ClientRequestToken"]] = (asked, kept.name)
            if not execution.done:
                reason = "INTERNAL_ERROR: The local AWS ended while the query ran"
                error = {"ErrorCategory": 1, "ErrorType": 200, "Retryable": True, "ErrorMessage": reason}
                execution.end("FAILED", self._resources.now(), reason, error)
                self.save(execution)

    def known(self, region: str, token: str | None, asked: dict[str, Any]) -> str | None:
        """Give the query that a token has started; None when it has started none.

        :raises ApiError: the token started another query
        """
        with self._lock:
            found = self._tokens.get((region, token)) if token else None
        if found is None:
            return None
        if found[0] != asked:
            raise invalid("Idempotent parameters do not match")
        return found[1]

    def add(self, execution: Execution, token: str | None, asked: dict[str, Any]) -> str:
        """Take a new execution, and give its identity, or that of the one that the token has started meanwhile."""
        with self._lock:
            if token:
                first = self._tokens.setdefault((execution.region, token), (asked, execution.identity))[1]
                if first != execution.identity:
                    return first
            self._executions[execution.identity] = execution
            dropped = list(self._executions)[:-KEPT_EXECUTIONS]
            gone = [self._executions.pop(identity) for identity in dropped]
        for old in gone:
            self._forget(old)
        request = {**asked, "ClientRequestToken": token} if token else asked
        facts = _facts(execution)
        self._resources.create(KIND, execution.region, execution.identity, request, **facts)
        return execution.identity

    def save(self, execution: Execution) -> None:
        """Keep what has become of an execution."""
        found = self._resources.find(KIND, execution.region, execution.identity)
        if found is not None:
            found.facts = _facts(execution)
            self._resources.save(found)

    def find(self, region: str, identity: str) -> Execution:
        """Give an execution.

        :raises ApiError: there is none
        """
        with self._lock:
            found = self._executions.get(identity)
        if found is None or found.region != region:
            raise invalid(f"QueryExecution {identity} was not found")
        return found

    def of(self, region: str, group: str) -> list[Execution]:
        """Give the executions of a workgroup, the newest first."""
        with self._lock:
            every = [one for one in self._executions.values() if (one.region, one.work_group) == (region, group)]
        return every[::-1]

    def drop(self, region: str, group: str) -> None:
        """Forget the executions of a workgroup."""
        for execution in self.of(region, group):
            with self._lock:
                self._executions.pop(execution.identity, None)
            self._forget(execution)

    def clear(self) -> None:
        """Forget every execution; those that run are cancelled."""
        with self._lock:
            executions = list(self._executions.values())
            self._executions.clear()
            self._tokens.clear()
        for execution in executions:
            if not execution.done:
                execution.engine.cancel()

    def _forget(self, execution: Execution) -> None:
        if found := self._resources.find(KIND, execution.region, execution.identity):
            self._resources.remove(found)
        with self._lock:
            for key in [key for key, (_, identity) in self._tokens.items() if identity == execution.identity]:
                del self._tokens[key]


def _facts(execution: Execution) -> dict[str, Any]:
    facts = {name: getattr(execution, name) for name in _FACTS}
    return {**facts, "statement_kind": execution.statement.kind, "subtype": execution.statement.subtype}


def _from_resource(kept: Resource) -> Execution:
    facts = {name: kept.facts[name] for name in _FACTS}
    statement = Statement(kept.request["QueryString"], exp.Null(), kept.facts["statement_kind"], kept.facts["subtype"])
    return Execution(
        identity=kept.name,
        region=kept.region,
        statement=statement,
        **{**facts, "parameters": tuple(facts["parameters"])},
    )
