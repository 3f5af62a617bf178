"""The courier carries what waits, ends when told, and stays behind in a fork."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from festaf.provider.lineage.capture import Capture
from festaf.provider.lineage.courier import Courier
from festaf.provider.lineage.settings import load_settings
from tests.client.recorder import Recorder, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder.started() as recorder:
        yield recorder


@pytest.fixture
def capture(tmp_path: Path, recorder: Recorder) -> Capture:
    return Capture(replace(load_settings(), registry_url=recorder.url, spool_folder=tmp_path, flush_interval=0.05))


@pytest.fixture
def courier(capture: Capture) -> Iterator[Courier]:
    courier = Courier(lambda: capture)
    yield courier
    courier.stop()


def _until_sent(recorder: Recorder, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(recorder.events) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_dead_process_left_is_carried(capture: Capture, courier: Courier, recorder: Recorder) -> None:
    name = capture.spool.append(b'{"n": 1}')
    (capture.spool.pending / name).rename(capture.spool.pending / f"{int(name[:20]) - 10**12:020d}{name[20:]}")
    courier.start()
    _until_sent(recorder, 1)


def test_what_it_is_given_is_carried_at_once(capture: Capture, courier: Courier, recorder: Recorder) -> None:
    courier.wake([capture.spool.append(b'{"n": 1}')])
    courier.stop(seconds=10)
    assert recorder.events == [{"n": 1}]
    assert capture.spool.names() == []


def test_it_ends_though_the_registry_hangs(capture: Capture, courier: Courier, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(hang=True)
    courier.wake([capture.spool.append(b'{"n": 1}')])
    _until_sent(recorder, 1)
    courier.stop(seconds=0.05)
    assert len(capture.spool.names()) == 1


def test_a_forked_child_has_no_courier_until_it_starts_one(courier: Courier) -> None:
    courier.start()
    assert any(thread.name == "festaf-courier" for thread in threading.enumerate())
    child = os.fork()
    if child == 0:
        courier.stop(seconds=60)
        os._exit(0 if courier._thread is None else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_broken_configuration_ends_only_the_courier(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Capture:
        raise ValueError("oh")

    courier = Courier(broken)
    courier.start()
    courier.stop(seconds=10)
    assert "The lineage courier ended" in caplog.text


def test_a_spool_that_cannot_be_read_for_a_while_is_carried_afterwards(
    capture: Capture, courier: Courier, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    name = capture.spool.append(b'{"n": 1}')
    pending, aside = capture.spool.pending, capture.spool.pending.with_name("aside")
    pending.rename(aside)
    pending.touch()
    courier.wake([name])
    deadline = time.monotonic() + 30
    while "The lineage courier failed" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pending.unlink()
    aside.rename(pending)
    courier.wake([name])
    _until_sent(recorder, 1)
    assert caplog.text.count("The lineage courier failed") == 1
