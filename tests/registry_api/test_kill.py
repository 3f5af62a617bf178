"""Kill the server in the middle of its work, again and again: what it acknowledged is there, once."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import func, select

from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.schema import migrate
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import DAY, RICH, dataset, task_event, written
from tests.registry_api.story import story
from tests.registry_api.test_cli import serving
from tests.registry_api.test_order import everything

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_api.events import Json


def _history(days: int) -> list[Json]:
    """Give the story and days of runs after it."""
    return story() + [
        event
        for day in range(3, 3 + days)
        for event in (
            task_event("START", 5, day=day, inputs=(dataset("a"),)),
            task_event("COMPLETE", 10, day=day, inputs=(dataset("a"),), outputs=(written(RICH),)),
        )
    ]


def _post_until_killed(url: str, waiting: list[list[Json]], chance: random.Random, kill: threading.Timer) -> int:
    """Post batches until the server is gone; take those that were acknowledged from the waiting ones."""
    sent, first = 0, chance.randrange(4)
    with httpx.Client(base_url=url, timeout=60) as client:
        while True:
            if sent == first:
                kill.start()
            batch = waiting[0] if waiting else chance.sample(story(), 3)
            try:
                answer = client.post("/api/v1/lineage/batch", json=batch)
            except httpx.TransportError:
                return sent
            assert answer.status_code == 204, answer.text
            sent += 1
            if waiting:
                waiting.pop(0)


def _suffer(path: Path, kills: int) -> None:
    chance = random.Random(11)
    events = _history(days=8 * kills)
    waiting = [events[start : start + 3] for start in range(0, len(events), 3)]
    url = f"sqlite:///{path / 'killed.db'}"
    acknowledged = 0
    for _ in range(kills):
        with serving("--demo", "--database-url", url) as (address, process):
            kill = threading.Timer(chance.uniform(0, 0.2), process.send_signal, [signal.SIGKILL])
            acknowledged += _post_until_killed(address, waiting, chance, kill)
    assert acknowledged

    killed, calm = Database(url), Database(f"sqlite:///{path / 'calm.db'}")
    migrate(calm)
    with killed.writing() as session:
        service = LineageService(session, DAY)
        known = session.scalar(select(func.count()).select_from(EventTable)) or 0
        taken = len(events) - sum(len(batch) for batch in waiting)
        # One batch may have been committed without its answer having come back.
        assert taken <= known <= taken + 3 + len(story())
        assert service.take_batch(events[:taken]) == []
        assert service.kept == []
        for batch in waiting:
            assert service.take_batch(batch) == []
    with calm.writing() as session:
        assert LineageService(session, DAY).take_batch(events) == []

    assert differences(contents(killed), contents(calm)) == []
    assert everything(killed).differences(everything(calm)) == []
    killed.close()
    calm.close()


@pytest.mark.long
def test_five_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    _suffer(tmp_path, kills=5)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_fifty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    _suffer(tmp_path, kills=50)
