"""The code of a DAG is read where it stands, and its absence stops nothing."""

from __future__ import annotations

import zipfile
from functools import partial, wraps
from inspect import getsource
from textwrap import dedent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret

from festaf.contract.names import sha256_of
from festaf.provider.lineage import source
from festaf.provider.lineage.source import MAX_BYTES, dag_file, function_source, masked

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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


class Caller:
    def __call__(self) -> int:
        return 2


def test_a_functions_text_is_given_whatever_it_is_wrapped_in() -> None:
    def inner() -> int:
        return 1

    @wraps(inner)
    def decorated() -> int:
        return inner()

    text = "def inner() -> int:\n    return 1\n"
    assert [function_source(thing) for thing in (inner, partial(partial(inner)), decorated)] == [text] * 3
    assert function_source(Caller()) == function_source(Caller) == getsource(Caller)
    assert function_source(Caller().__call__) == dedent(getsource(Caller.__call__))
    unnamed = lambda: 3  # noqa: E731 - it is about a lambda
    assert "lambda: 3" in (function_source(unnamed) or "")


def test_what_has_no_text_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    typed: dict[str, Any] = {}
    exec("def typed(): pass", typed)
    assert [function_source(thing) for thing in (len, None, "text", partial(len), typed["typed"])] == [None] * 5
    monkeypatch.setattr(source, "MAX_FUNCTION", 10)
    assert function_source(Caller) is None


def test_what_airflow_knows_as_a_secret_is_hidden() -> None:
    mask_secret("river-password-1")
    facet = {"query": "SELECT 'river-password-1'", "errors": [{"task": "river-password-1", "number": 1}]}
    assert masked(facet) == {"query": "SELECT '***'", "errors": [{"task": "***", "number": 1}]}
