"""``festaf features search`` and the wishes that follow it, against a registry that runs."""

from __future__ import annotations

import json
import time
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn
from typer.testing import CliRunner

from festaf.provider.cli.features import app
from festaf.registry_api.database import Database
from festaf.registry_api.main import create_app
from festaf.registry_api.server import bind
from festaf.registry_api.settings import Settings
from tests.registry_api.databases import with_schema
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def festaf(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give the commands under ``festaf features``, with a registry that knows one feature."""
    database = with_schema(Database(f"sqlite:///{tmp_path / 'registry.db'}"))
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(Settings(str(database.url), demo=True), database), log_level=50))
    thread = Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, "--registry", url])
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    from festaf.client import Sender

    with Sender(url) as sender:
        sender.send(json.dumps(task_event(outputs=(written(RICH),))).encode())
    yield run
    server.should_exit = True
    thread.join(20)
    listening.close()


def test_what_is_not_found_is_asked_for_and_becomes_a_feature(festaf: Callable[..., str]) -> None:
    assert "nyc/delays/dep_delay  [similar]" in festaf("search", "dep", "dealy", "--tag", "delay", "--fresh", "1e6")
    assert json.loads(festaf("search", "delay", "--json"))["items"][0]["match"] == "name"

    nothing = festaf("search", "taxi_out", "--project", "nyc")
    assert "festaf features request taxi_out" in nothing
    asked = json.loads(
        festaf(
            "request", "taxi_out", "--project", "nyc", "--purpose", "plan stands", "--source", "s3://raw/taxi", "--json"
        )
    )
    assert "Asked for as nyc/taxi_out, open" in festaf("search", "taxi")
    wish = asked["id"]
    assert "0 votes" in festaf("vote", wish, "--back")
    assert "by ann until 2026-12-31" in festaf("plan", wish, "--by", "ann", "--until", "2026-12-31")
    assert "nyc/taxi_out  [planned]" in festaf(
        "requests", "stands", "--project", "nyc", "--state", "planned", "--newest"
    )
    assert "reason: no data" in festaf("decline", wish, "--reason", "no data")
    other = json.loads(festaf("request", "taxi_in", "--project", "nyc", "--purpose", "plan", "--json"))["id"]
    assert "is nyc/delays/dep_delay" in festaf("fulfil", other, "nyc/delays/dep_delay")
