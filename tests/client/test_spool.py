"""Events wait in the spool whole, in order, and safe with many processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from festaf.client import Spool
from festaf.client.errors import SpoolFullError, SpoolUnwritableError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_event_waits_until_it_is_removed(spool: Spool) -> None:
    name = spool.append(b'{"a": 1}')
    assert spool.names() == [name]
    assert spool.read(name) == b'{"a": 1}'
    spool.remove(name)
    assert spool.names() == []
    assert spool.read(name) is None


def test_events_are_listed_in_the_order_in_which_they_came(spool: Spool) -> None:
    names = [spool.append(b"{}", durable=False) for _ in range(20)]
    assert spool.names() == names


def test_an_event_that_its_maker_is_sending_is_not_listed(spool: Spool) -> None:
    spool.append(b"{}")
    assert spool.names(min_age=60) == []


def test_nobody_else_can_read_the_events(spool: Spool) -> None:
    name = spool.append(b"{}")
    assert spool.pending.stat().st_mode & 0o777 == 0o700
    assert (spool.pending / name).stat().st_mode & 0o777 == 0o600


def test_files_of_others_are_passed_over(spool: Spool) -> None:
    name = spool.append(b"{}")
    (spool.pending / "README").write_text("hello")
    (spool.pending / "x.json").write_text("{}")
    (spool.pending / "folder").mkdir()
    assert spool.names() == [name]
    assert spool.status().pending == 1


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[]", b"\xff\x00"])
def test_a_torn_file_is_put_aside_with_the_reason(spool: Spool, content: bytes) -> None:
    name = spool.append(content)
    assert spool.read(name) is None
    assert spool.names() == []
    assert "torn" in (spool.rejected / f"{name}.reason").read_text()
    assert (spool.rejected / name).read_bytes() == content


def test_a_folder_with_the_name_of_an_event_stops_nobody(spool: Spool) -> None:
    name = spool.append(b"{}")
    (spool.pending / name).unlink()
    (spool.pending / name).mkdir()
    assert spool.read(name) is None


def test_a_full_spool_refuses_and_drops_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_events=2)
    names = [spool.append(b"{}"), spool.append(b"{}")]
    with pytest.raises(SpoolFullError, match="2 events"):
        spool.append(b"{}")
    assert spool.names() == names


def test_a_spool_is_bounded_in_bytes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=10)
    spool.append(b'{"a": 1}')
    with pytest.raises(SpoolFullError, match="8 bytes"):
        spool.append(b'{"a": 1}')


def test_a_folder_that_cannot_be_written_gives_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnwritableError, match="cannot be written"):
        Spool(tmp_path / "file" / "spool").append(b"{}")


def test_a_full_disk_leaves_no_half_of_an_event(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolUnwritableError, match="No space left"):
        spool.append(b"{}")
    assert list(spool.folder.rglob("*.json")) == []


def test_rejected_events_can_wait_again(spool: Spool) -> None:
    name = spool.append(b"{}")
    spool.reject(name, "the registry is too old")
    assert spool.status().rejected == 1
    assert spool.restore() == 1
    assert spool.names() == [name]
    assert list(spool.rejected.iterdir()) == []


def test_a_postponed_event_stands_behind_the_others(spool: Spool) -> None:
    first, second = spool.append(b'{"n": 1}'), spool.append(b'{"n": 2}')
    spool.postpone(first)
    assert spool.names()[0] == second
    assert [spool.read(name) for name in spool.names()] == [b'{"n": 2}', b'{"n": 1}']


def test_what_a_writer_left_when_it_died_is_tidied_after_an_hour(spool: Spool) -> None:
    spool.append(b"{}")
    old, new = spool.folder / "staging" / "old", spool.folder / "staging" / "new"
    old.write_text("")
    new.write_text("")
    os.utime(old, (time.time() - 4000,) * 2)
    spool.tidy()
    assert list((spool.folder / "staging").iterdir()) == [new]


def test_the_status_tells_what_waits(spool: Spool) -> None:
    assert spool.status().pending == 0
    assert spool.status().oldest_age is None
    spool.append(b"12345")
    status = spool.status()
    assert (status.pending, status.pending_bytes, status.rejected) == (1, 5, 0)
    assert status.oldest_age is not None
    assert status.oldest_age >= 0


def test_events_of_many_processes_all_arrive(spool: Spool) -> None:
    code = "import sys; from festaf.client import Spool; s = Spool(sys.argv[1]); [s.append(b'{}') for _ in range(25)]"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(spool.folder)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(spool.names()) == 75


HOLDER = """
import sys, time
from festaf.client import Spool
with Spool(sys.argv[1]).flusher() as alone:
    print(alone, flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_sends_older_events_and_a_killed_one_blocks_nobody(spool: Spool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(spool.folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with spool.flusher() as alone:
            assert not alone
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with spool.flusher() as alone:
        assert alone


FORKER = """
import os, sys, time
from festaf.client import Spool
with Spool(sys.argv[1]).flusher():
    if os.fork() == 0:
        print("forked", flush=True)
    time.sleep(60)
"""


def test_a_child_of_a_killed_process_does_not_keep_its_lock(spool: Spool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FORKER, str(spool.folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        try:
            os.kill(parent.pid, signal.SIGKILL)
            parent.wait()
            with spool.flusher() as alone:
                assert alone
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def test_the_lock_is_free_after_use(spool: Spool) -> None:
    for _ in range(2):
        with spool.flusher() as alone:
            assert alone
