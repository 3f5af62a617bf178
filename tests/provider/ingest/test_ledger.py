from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from festaf.provider.ingest.ledger import Ledger
from festaf.provider.ingest.work import LocalFolder

if TYPE_CHECKING:
    from pathlib import Path


def has(folder: Path, *rows: int) -> list[bool]:
    work = LocalFolder(folder)
    found: list[bool] = Ledger(work).has(np.array(rows)).tolist()
    work.close()
    return found


def test_noted_rows_are_known_to_the_next_run_and_the_holes_are_not(tmp_path: Path) -> None:
    work = LocalFolder(tmp_path / "a")
    ledger = Ledger(work)
    ledger.note(np.array([1, 2, 3, 7, 8]))
    ledger.note(np.array([4]))
    work.close()
    assert has(tmp_path / "a", 1, 4, 5, 6, 7, 8, 9) == [True, True, False, False, True, True, False]


def test_a_torn_line_is_left_out_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    work = LocalFolder(tmp_path / "a")
    Ledger(work).note(np.array([1, 2, 3]))
    work.close()
    journal = tmp_path / "a" / "journal"
    whole = journal.read_bytes()
    for cut in range(1, len(whole)):
        journal.write_bytes(whole + whole[:cut].replace(b"1 3", b"1 9"))
        work = LocalFolder(tmp_path / "a")
        Ledger(work).note(np.array([5]))
        work.close()
        assert has(tmp_path / "a", 1, 3, 4, 5) == [True, True, False, True]


def test_content_is_known_by_what_was_sent(tmp_path: Path) -> None:
    work = LocalFolder(tmp_path / "a")
    Ledger(work).note_content([b"one", b"two"])
    work.close()
    again = LocalFolder(tmp_path / "a")
    ledger = Ledger(again)
    assert ledger.has_content([b"one", b"two"])
    assert not ledger.has_content([b"two", b"one"])
    again.close()


def test_without_resuming_nothing_is_known(tmp_path: Path) -> None:
    work = LocalFolder(tmp_path / "a")
    Ledger(work).note(np.array([1]))
    assert not Ledger(work, resume=False).has(np.array([1])).any()
    work.close()


def test_the_folder_of_an_ingest_that_nobody_touched_for_a_month_goes(tmp_path: Path) -> None:
    import os

    LocalFolder(tmp_path / "old").close()
    os.utime(tmp_path / "old" / "journal", (0, 0))
    LocalFolder(tmp_path / "new").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]
