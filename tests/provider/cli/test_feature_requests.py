"""``festaf features search`` and the wishes that follow it, against a registry that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from festaf.client import Sender
from festaf.provider.cli.features import app
from tests.registry_api.events import RICH, task_event, written
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def festaf(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give the commands under ``festaf features``, with a registry that knows one feature."""
    with served_registry(tmp_path, demo=True) as served:

        def run(*words: str, fails: bool = False) -> str:
            result = CliRunner().invoke(app, [*words, "--registry", served.url])
            assert result.exit_code == fails, (result.output, result.exception)
            return result.stderr if fails else result.stdout

        with Sender(served.url) as sender:
            sender.send(json.dumps(task_event(outputs=(written(RICH),))).encode())
        yield run


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
    wish = asked["id"]
    line = f"Asked for: {wish}  nyc/taxi_out  [open]  1 vote  plan stands"
    assert line in festaf("search", "taxi")
    for command in ("show", "history", "impact"):
        assert festaf(command, "nyc/delays/taxi_out", fails=True).splitlines()[-1] == line
    assert "0 votes" in festaf("vote", wish, "--back")
    assert "by ann until 2026-12-31" in festaf("plan", wish, "--by", "ann", "--until", "2026-12-31")
    assert "nyc/taxi_out  [planned]" in festaf(
        "requests", "stands", "--project", "nyc", "--state", "planned", "--newest"
    )
    assert "reason: no data" in festaf("decline", wish, "--reason", "no data")
    assert "[open]" in festaf("reopen", wish, "--reason", "there is data now")
    assert "nyc/taxi_out" in festaf("comment", wish, "the tower has it")
    assert "[withdrawn]" in festaf("withdraw", wish, "--reason", "found another way")
    other = json.loads(festaf("request", "taxi_in", "--project", "nyc", "--purpose", "plan", "--json"))["id"]
    assert "is nyc/delays/dep_delay" in festaf("fulfil", other, "nyc/delays/dep_delay")
