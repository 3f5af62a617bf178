"""The code of a DAG is read where it stands, and its absence stops nothing."""

from __future__ import annotations

import zipfile
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from festaf.provider.lineage.source import MAX_BYTES, dag_file, function_source

if TYPE_CHECKING:
    from pathlib import Path


def _dag(path: Path, relative: str | None = None) -> Any:
    return SimpleNamespace(fileloc=str(path), relative_fileloc=relative)


def test_a_dag_file_is_read_with_its_path_inside_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "team" / "dag.py"
    path.parent.mkdir()
    path.write_text("x = 'ä'\n")
    found = dag_file(_dag(path), tmp_path)
    assert (found.path, found.text, found.sha256) == ("team/dag.py", "x = 'ä'\n", sha256_of("x = 'ä'\n"))
    assert dag_file(_dag(path, "given.py"), None).path == "given.py"


def test_a_dag_file_in_an_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "dags.zip", "w") as archive:
        archive.writestr("team/dag.py", "x = 1\n")
    assert dag_file(_dag(tmp_path / "dags.zip" / "team" / "dag.py"), tmp_path).text == "x = 1\n"


def test_a_file_that_is_gone_or_unreadable_or_too_large_has_no_text(tmp_path: Path) -> None:
    for name, content in {"gone.py": None, "binary.py": b"\xff", "large.py": b"#" * (MAX_BYTES + 1)}.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        found = dag_file(_dag(tmp_path / name), tmp_path)
        assert (found.path, found.text, found.sha256) == (name, None, None)


def test_a_functions_text_is_given_and_what_has_none_is_none() -> None:
    def inner() -> int:
        return 1

    assert function_source(inner) == "def inner() -> int:\n    return 1\n"
    assert [function_source(thing) for thing in (partial(inner), len, None, "text")] == [None] * 4
