from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.provider.artifacts import FeatureSetSummary
from festaf.provider.errors import AccessError, ServiceError
from festaf.provider.readiness.board import Board, Sight

if TYPE_CHECKING:
    from collections.abc import Callable


def summary(name: str, status: str) -> FeatureSetSummary:
    return FeatureSetSummary(name=name, arn=name, created_at=datetime(2026, 1, 1, tzinfo=UTC), status=status)


class Listing:
    """What ListFeatureGroups answers, one page after the other; the last for ever."""

    def __init__(self, *answers: dict[str, str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []

    def __call__(self, name_contains: str | None) -> dict[str, FeatureSetSummary]:
        self.asked.append(name_contains)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {name: summary(name, status) for name, status in answer.items()}


async def sights(board: Board, name: str, until: Callable[[Sight], bool]) -> list[Sight]:
    seen = []
    with board.seat(name, 0.01) as seat:
        while True:
            sight = await seat.next(5)
            assert sight is not None
            seen.append(sight)
            if until(sight):
                return seen


def created(sight: Sight) -> bool:
    return sight.summary is not None and sight.summary.status == "Created"


def test_many_waiters_are_served_by_one_poll() -> None:
    names = [f"planes{number}" for number in range(128)]
    listing = Listing(dict.fromkeys(names, "Creating"), dict.fromkeys(names, "Created"))

    async def wait() -> None:
        board = Board("feature sets", listing)
        await asyncio.gather(*(sights(board, name, created) for name in names))
        assert board.polls == 2

    asyncio.run(wait())
    assert listing.asked == [None, None]


def test_a_waiter_sleeps_until_its_feature_set_moves() -> None:
    listing = Listing({}, {}, {"planes": "Creating"}, {"planes": "Creating"}, {"planes": "Created"})
    seen = asyncio.run(sights(Board("feature sets", listing), "planes", created))
    assert [sight.summary and sight.summary.status for sight in seen] == [None, "Creating", "Created"]
    assert set(listing.asked) == {"planes"}


def test_throttling_slows_the_board_and_fails_nobody() -> None:
    listing = Listing(*[ServiceError("slow down")] * 3, {"planes": "Created"})

    async def wait() -> float:
        board = Board("feature sets", listing)
        with board.seat("planes", 0.01) as seat:
            while board.polls < 3:
                await asyncio.sleep(0.001)
            slowed = board.pause
            assert (await seat.next(5)) == Sight(known=True, summary=summary("planes", "Created"))
            assert board.pause == 0.01
        return slowed

    assert asyncio.run(wait()) > 0.01


def test_a_list_that_may_not_be_read_leaves_the_looking_to_the_waiters() -> None:
    seen = asyncio.run(
        sights(Board("feature sets", Listing(AccessError("denied"))), "planes", lambda sight: not sight.known)
    )
    assert seen == [Sight(known=False, summary=None)]


def test_nobody_left_nothing_polled() -> None:
    async def wait() -> int:
        listing = Listing({"planes": "Created"})
        board = Board("feature sets", listing)
        await sights(board, "planes", created)
        await asyncio.sleep(0.05)
        return len(listing.asked)

    assert asyncio.run(wait()) == 1


def test_no_news_until_the_deadline_is_none() -> None:
    async def wait() -> Sight | None:
        with Board("feature sets", Listing(ServiceError("slow down"))).seat("planes", 10) as seat:
            return await seat.next(0.05)

    assert asyncio.run(wait()) is None
