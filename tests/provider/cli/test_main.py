"""The program finds its groups, starts fast, and ends every expected failure with one sentence."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from festaf import __version__
from festaf.provider.cli import main as program

if TYPE_CHECKING:
    from tests.client.recorder import Recorder


def _run(*arguments: str) -> int:
    """Run in this process and give the exit code."""
    with pytest.raises(SystemExit) as ended:
        program.main(list(arguments))
    return int(ended.value.code or 0)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    assert capsys.readouterr().out == f"festaf {__version__}\n"


def test_the_help_names_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--help") == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("demo", "features", "lineage", "local-aws", "registry"))


def test_an_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("nonsense") == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err


def test_neither_airflow_nor_a_server_is_imported_to_ask_a_question() -> None:
    code = (
        "import sys\n"
        "from festaf.provider.cli.main import main\n"
        "try: main(['lineage', 'show', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('airflow', 'fastapi', 'sqlalchemy', 'boto3', 'moto') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def _groups(*values: tuple[str, str]) -> object:
    return lambda group: [EntryPoint(name, value, group) for name, value in values]


def test_a_group_whose_extra_is_missing_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "entry_points", _groups(("registry", "no_such_package.cli:app")))
    assert _run("registry", "serve") == 1
    assert capsys.readouterr().err == (
        "'festaf registry' needs the package no_such_package, which is not installed: pip install 'festaf[registry]'\n"
    )


@pytest.mark.parametrize("command", ["dag import acme/sales", "dag list", "lineage write-back nyc"])
def test_a_command_that_needs_airflow_names_its_extra(command: str) -> None:
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] == 'airflow': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from festaf.provider.cli.main import main\n"
        f"main({command.split()})"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.endswith("needs the package airflow, which is not installed: pip install 'festaf[airflow]'\n")


def test_a_group_that_is_not_there_yet_is_named_and_the_help_still_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "entry_points", _groups(("later", "festaf.later:app")))
    assert _run("later") == 1
    assert "there is no module festaf.later" in capsys.readouterr().err
    assert _run("--help") == 0


def test_a_registry_that_is_away_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("features", "list", "--registry", "http://127.0.0.1:9") == 1
    error = capsys.readouterr().err
    assert error.startswith("The registry at http://127.0.0.1:9 cannot be reached")
    assert error.count("\n") == 1
    assert "--registry" in error


def test_what_the_registry_refuses_is_one_sentence(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.client.recorder import problem

    recorder.answer = lambda _: problem(401, "the token is unknown")
    assert _run("features", "list", "--registry", recorder.url) == 1
    error = capsys.readouterr().err
    assert "answered 401: the token is unknown; set FESTAF_TOKEN" in error
    assert "festaf registry token create" in error


def test_who_may_not_is_told_where_another_token_goes(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.client.recorder import problem

    recorder.answer = lambda _: problem(403, "the token of 'airflow' lacks the scope 'registry:read'")
    assert _run("features", "list", "--registry", recorder.url) == 1
    error = capsys.readouterr().err
    assert error.endswith("lacks the scope 'registry:read'; FESTAF_TOKEN takes another token\n")


def test_an_address_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("features", "list", "--registry", "nowhere") == 1
    assert "'nowhere' is no address of a registry" in capsys.readouterr().err
