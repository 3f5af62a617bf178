"""A process that cannot start says so in one sentence, and nothing outlives its stop."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from festaf.provider.demo.errors import StartError
from festaf.provider.demo.process import Process


def process(tmp_path: Path, script: str, health: str | None = None) -> Process:
    return Process("The thing", [sys.executable, "-c", script], tmp_path / "logs/thing.log", dict(os.environ), health)


def test_a_process_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    thing = process(tmp_path, "print('no room on the moon'); raise SystemExit(3)", health="http://127.0.0.1:9/never")
    thing.start()
    with pytest.raises(StartError, match=r"The thing ended with exit code 3: no room on the moon \(log: .*thing.log\)"):
        thing.wait_ready(seconds=30)


def test_a_process_that_never_answers_is_given_up(tmp_path: Path) -> None:
    thing = process(tmp_path, "import time; time.sleep(60)", health="http://127.0.0.1:9/never")
    thing.start()
    try:
        with pytest.raises(StartError, match="was not ready after 0 s"):
            thing.wait_ready(seconds=0.3)
    finally:
        thing.stop()


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    thing = process(tmp_path, "raise SystemExit('the database is on holiday')")
    thing.start()
    with pytest.raises(StartError, match="failed with exit code 1: the database is on holiday"):
        thing.wait_done(seconds=30)


def test_stop_ends_children_too_even_deaf_ones(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {deaf!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    thing = process(tmp_path, script)
    thing.start()
    deadline = time.monotonic() + 30
    while not thing.log.read_text().strip() and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(thing.log.read_text())
    thing.stop(seconds=0.2)
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
