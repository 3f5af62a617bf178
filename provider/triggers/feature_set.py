"""Wait for a feature set without a worker."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.readiness.board import Board, Sight
    from festaf.provider.readiness.readiness import Readiness

UNSEEN: tuple[str, ...] = ("nothing was to be seen of it",)


class FeatureSetReadyTrigger(BaseTrigger):
    """Fires when a feature set has reached a level, when it cannot any more, or when the time is over.

    :param name: name of the feature set
    :param level: CREATED, WRITABLE, QUERYABLE or FRESH
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which it gives up and says what is missing
    :param aws_conn_id: the Airflow connection to AWS
    :param region_name: AWS region; None takes the connection's
    :param bounds: what the level is measured against; serialised only when given, since CREATED and WRITABLE need
        none
    """

    def __init__(
        self,
        name: str,
        level: str = "CREATED",
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
        return "festaf.provider.triggers.feature_set.FeatureSetReadyTrigger", arguments | (
            {"bounds": self.bounds} if self.bounds else {}
        )

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
        readiness, board = await self._prepare()
        missing: tuple[str, ...] = UNSEEN
        with board.seat(self.name, self.poll_interval) as seat:
            while True:
                left = started + self.timeout - time.monotonic()
                sight = await seat.next(left)
                if sight is not None:
                    missing = await self._judge(readiness, sight, missing)
                    seat.restless = _is_beyond_the_list(sight)
                if sight is None:
                    missing = await self._judge(readiness, Sight(known=False, summary=None), missing)
                if not missing:
                    return {"status": "ready", "name": self.name, "level": self.level}
                if sight is None:
                    waited = time.monotonic() - started
                    return {
                        "status": "late",
                        "artifact": readiness.artifact,
                        "missing": list(missing),
                        "waited": waited,
                    }

    async def _judge(self, readiness: Readiness, sight: Sight, before: tuple[str, ...]) -> tuple[str, ...]:
        """Tell what is missing: from the list as long as that says enough, else by looking."""
        from festaf.provider.errors import ServiceError
        from festaf.provider.readiness.ladder import ABSENT, CREATING

        if sight.known and sight.summary is None:
            return (ABSENT,)
        if sight.summary is not None and sight.summary.status == "Creating":
            return (CREATING,)
        try:
            return await asyncio.to_thread(readiness.look)
        except ServiceError as error:
            self.log.info("Cannot look at %s now: %s", self.name, error)
            return before if before != UNSEEN else (str(error),)

    async def _prepare(self) -> tuple[Readiness, Board]:
        """Find the hook and the board, which triggers of one place share."""
        from festaf.provider.readiness.board import board_for
        from festaf.provider.readiness.bounds import Bounds
        from festaf.provider.readiness.readiness import Readiness
        from festaf.provider.readiness.shared import shared_hook

        bounds = Bounds.of(self.bounds)
        bounds.check(self.level)
        hook = await shared_hook(self.aws_conn_id, self.region_name)
        key = await asyncio.to_thread(_place, hook)

        def read(name_contains: str | None) -> dict[str, Any]:
            return {summary.name: summary for summary in hook.summaries(name_contains)}

        return Readiness(hook, self.name, self.level, bounds), board_for(key, read)


def _is_beyond_the_list(sight: Sight) -> bool:
    """Tell whether what is still missing will not show in the list."""
    return sight.summary is not None and sight.summary.status == "Created"


def _place(hook: FeatureStoreHook) -> tuple[str, str, str]:
    """Tell endpoints, accounts and regions apart; connections to one place share a board."""
    from festaf.provider.errors import FestafError

    client = hook.client("sagemaker")
    try:
        account = hook.account
    except FestafError:
        account = f"connection {hook.aws_conn_id}"
    return client.meta.endpoint_url, account, client.meta.region_name
