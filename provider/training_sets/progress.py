"""How far a build is, kept beside its data so that another worker goes on where one was killed."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from festaf.contract.training_set import Statement
from festaf.provider.errors import ServiceError
from festaf.provider.hooks.athena import ENDED, SUCCEEDED, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.provider.hooks.athena import AthenaHook, AthenaQuery
    from festaf.provider.training_sets.folder import Folder

DOCUMENT = "build.json"
TRIES = 3
"""How often a task starts one step, when Athena says that another try may succeed."""


@dataclass(frozen=True)
class Attempt:
    """The newest attempt of a step; the execution is None between the intent and Athena's answer."""

    number: int = 1
    execution: str | None = None


@dataclass
class Progress:
    """The steps of one build.

    Before a query starts, the number of its attempt is written down; the number makes the token under which Athena
    knows the query, and names the place that it writes to. So a killed worker's query is found again, and what a failed
    one left behind is in nobody's way.
    """

    folder: Folder
    athena: AthenaHook
    query: AthenaQuery
    """Where the queries run."""
    nonce: str
    steps: dict[str, Attempt] = field(default_factory=dict)

    @classmethod
    def resumed(cls, folder: Folder, athena: AthenaHook, query: AthenaQuery) -> Progress:
        """Read how far the build is, or begin it."""
        fresh = json.dumps({"nonce": secrets.token_hex(16), "steps": {}}).encode()
        content: dict[str, Any] = json.loads(folder.write_new(DOCUMENT, fresh))
        steps = {name: Attempt(*values) for name, values in content["steps"].items()}
        return cls(folder, athena, query, content["nonce"], steps)

    def start(self, step: str, statement: Callable[[int], str]) -> None:
        """Start a step, unless an earlier try's query of it runs or has succeeded.

        :param statement: writes the query of an attempt by its number
        """
        attempt = self.steps.get(step, Attempt())
        if attempt.execution:
            found = self.athena.look(attempt.execution, self.folder.patience)
            if found is not None and found.state not in ENDED:
                if found.state != SUCCEEDED:
                    self.athena.running.add(found.identity)
                return
            attempt = Attempt(attempt.number + 1)
        self._keep(step, attempt)
        query = replace(self.query, sql=statement(attempt.number), token=self._token(step, attempt.number))
        identity = self.athena.start(query, self.folder.patience)
        self._keep(step, replace(attempt, execution=identity))
        self.athena.log.info("Query %s (%s, attempt %d) is started", identity, step, attempt.number)

    def finish(self, step: str, statement: Callable[[int], str]) -> Statement:
        """Wait for a step, and start it again when Athena says that another try may succeed.

        :raises RefusedError: the query fails for good
        :raises ServiceError: it failed too often, or the deadline passed
        """
        for left in reversed(range(TRIES)):
            self.start(step, statement)
            attempt = self.steps[step]
            found = self.athena.wait(str(attempt.execution), self.folder.patience, step)
            if found.state == SUCCEEDED:
                return Statement(
                    step=step,
                    text=statement(attempt.number),
                    query_execution_id=found.identity,
                    scanned_bytes=found.scanned_bytes,
                )
            error = failure(found, step)
            if not left or not isinstance(error, ServiceError):
                raise error
            self.athena.log.warning("%s; starting it again", error)
        raise AssertionError("the loop returns or raises")

    def number(self, step: str) -> int:
        """Give the number of the newest attempt."""
        return self.steps[step].number

    def done(self) -> None:
        """Forget the build's steps; nothing of it is left to do."""
        self.folder.delete_document(DOCUMENT)

    def _keep(self, step: str, attempt: Attempt) -> None:
        self.steps[step] = attempt
        steps = {name: [kept.number, kept.execution] for name, kept in self.steps.items()}
        self.folder.write(DOCUMENT, json.dumps({"nonce": self.nonce, "steps": steps}).encode())

    def _token(self, step: str, number: int) -> str:
        return sha256_of(f"{self.folder.uri}/{self.nonce}/{step}/{number}")
