"""Wait for an artifact without a worker: what the triggers of every kind of artifact have in common."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from festaf.provider.hooks.aws import AwsHook
    from festaf.provider.readiness.board import Board, Reader, Sight, Summary
    from festaf.provider.readiness.look import Look

UNSEEN: tuple[str, ...] = ("nothing was to be seen of it",)


class ReadyTrigger(BaseTrigger, ABC):
    """Fires when an artifact has reached a level, when it cannot any more, or when the time is over.

    A subclass names its kind in ``what`` and says how to look.

    :param name: name of the artifact
    :param level: the level of readiness
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which it gives up and says what is missing
    :param aws_conn_id: the Airflow connection to AWS
    :param region_name: AWS region; None takes the connection's
    :param bounds: what the level is measured against; serialised only when given
    """

    what: str
    """The kind in the plural, such as ``feature sets``."""

    def __init__(
        self,
        name: str,
        level: str,
        poll_interval: float = 30.0,
        timeout: float = 3600.0,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        bounds: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped.
        self.name = name
        self.level = level
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.bounds = bounds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make it again."""
        arguments = {
            "name": self.name,
            "level": self.level,
            "poll_interval": self.poll_interval,
            "timeout": self.timeout,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
        }
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", arguments | ({"bounds": self.bounds} if self.bounds else {})

    @abstractmethod
    async def look(self) -> tuple[Look, Reader]:
        """Give what looks at the artifact, and what reads the list of all of its kind.

        :raises FestafError: the bounds or the connection cannot be used
        """

    @abstractmethod
    def waiting(self, summary: Summary) -> str | None:
        """Tell what is missing when the list alone says so; None when it takes a look to know."""

    def beyond_the_list(self, summary: Summary) -> bool:
        """Tell whether what is still missing will not show in the list, so that each poll must look."""
        return self.waiting(summary) is None

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield one event."""
        from festaf.provider.errors import FailedArtifactError, FestafError

        try:
            event = await self._wait()
        except FailedArtifactError as error:
            event = {"status": "failed", "artifact": error.artifact, "state": error.state, "reason": error.reason}
        except FestafError as error:
            event = {"status": "error", "message": str(error)}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]  # Airflow leaves it untyped.

    async def _wait(self) -> dict[str, Any]:
        from festaf.provider.readiness.board import Sight

        started = time.monotonic()
        look, board = await self._prepare()
        missing: tuple[str, ...] = UNSEEN
        with board.seat(self.name, self.poll_interval) as seat:
            while True:
                left = started + self.timeout - time.monotonic()
                sight = await seat.next(left)
                if sight is not None:
                    missing = await self._judge(look, sight, missing)
                    seat.restless = sight.summary is not None and self.beyond_the_list(sight.summary)
                if sight is None:
                    missing = await self._judge(look, Sight(known=False, summary=None), missing)
                if not missing:
                    return {"status": "ready", "name": self.name, "level": self.level}
                if sight is None:
                    waited = time.monotonic() - started
                    return {"status": "late", "artifact": look.artifact, "missing": list(missing), "waited": waited}

    async def _judge(self, look: Look, sight: Sight, before: tuple[str, ...]) -> tuple[str, ...]:
        """Tell what is missing: from the list as long as that says enough, else by looking."""
        from festaf.provider.errors import ServiceError

        if sight.known and sight.summary is None:
            return (look.absent,)
        if sight.summary is not None and (missing := self.waiting(sight.summary)):
            return (missing,)
        try:
            return await asyncio.to_thread(look.look)
        except ServiceError as error:
            self.log.info("Cannot look at %s now: %s", self.name, error)
            return before if before != UNSEEN else (str(error),)

    async def _prepare(self) -> tuple[Look, Board]:
        """Find what looks, and the board, which triggers of one kind and place share."""
        from festaf.provider.readiness.board import board_for

        look, read = await self.look()
        place = await asyncio.to_thread(_place, look.hook)
        return look, board_for((self.what, *place), read)


def _place(hook: AwsHook) -> tuple[str, str, str]:
    """Tell endpoints, accounts and regions apart; connections to one place share a board."""
    from festaf.provider.errors import FestafError

    client = hook.client("sagemaker")
    try:
        account = hook.account
    except FestafError:
        account = f"connection {hook.aws_conn_id}"
    return client.meta.endpoint_url, account, client.meta.region_name
