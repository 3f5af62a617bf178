"""The process that looks at a stranger's files: each has its own, and whatever becomes of one costs no other."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from festaf.sharing import canonical_zip, confinement
from festaf.sharing.confinement import Answer, Confinement, ConfinementError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {"a.yaml": b"password: hunter2hunter\n", "b.py": b"import os\nos.system('x')\n"}
DEEP = {"deep.py": b"x = [" + b"1," * 500_000 + b"]\n"}


@pytest.fixture
def confined() -> Iterator[Confinement]:
    made = Confinement()
    yield made
    made.close()


def checked(
    confined: Confinement, files: dict[str, bytes] = FILES, memory: int = 2**30, seconds: float = 60.0
) -> Answer:
    question = f"{memory} 60\n".encode() + canonical_zip.write(sorted(files.items()))
    return confined.ask(b"c", question, seconds=seconds)


def server(confined: Confinement) -> int:
    assert confined._server is not None
    return confined._server.process.pid


def test_all_questions_are_answered_by_children_of_one_server(confined: Confinement) -> None:
    first = checked(confined)
    began = server(confined)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: checked(confined), range(8)))
    assert first.ended == "done"
    assert {answer.lines for answer in others} == {first.lines}
    assert server(confined) == began


def test_what_kills_one_child_costs_no_other(confined: Confinement) -> None:
    sound = checked(confined)
    assert confined.ask(b"c", b"1 60\nno memory to read this", seconds=60).ended == "killed"
    assert any(b"too_complex" in line for line in checked(confined, DEEP, memory=64 * 2**20).lines)
    assert checked(confined) == sound


def test_a_child_that_takes_too_long_is_ended_by_its_own_clock(confined: Confinement) -> None:
    checked(confined)
    assert checked(confined, DEEP, seconds=0.02).ended == "late"


def test_a_server_that_was_killed_is_replaced(confined: Confinement) -> None:
    sound = checked(confined)
    killed = server(confined)
    os.kill(killed, signal.SIGKILL)
    assert checked(confined) == sound
    assert server(confined) != killed


def test_a_server_ends_when_nobody_can_ask_it_any_more(confined: Confinement) -> None:
    checked(confined)
    assert confined._server is not None
    process = confined._server.process
    confined.close()
    assert process.returncode == 0


def test_a_forked_process_starts_a_server_of_its_own(confined: Confinement) -> None:
    checked(confined)
    began = server(confined)
    child = os.fork()
    if child == 0:
        confined.abandon()
        different = checked(confined).ended == "done" and server(confined) != began
        confined.close()
        os._exit(0 if different else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert checked(confined).ended == "done"
    assert server(confined) == began


def test_a_process_that_cannot_be_started_is_an_error_and_no_finding(
    confined: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement, "_PROGRAM", "raise SystemExit(1)")
    with pytest.raises(ConfinementError):
        checked(confined)


def test_the_callers_environment_and_folder_decide_nothing(
    confined: Confinement, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("caller")
    (folder / "festaf.py").write_text("raise SystemExit(1)\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONSTARTUP", str(folder / "festaf.py"))
    assert checked(confined).ended == "done"
