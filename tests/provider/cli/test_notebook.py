from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from festaf.provider.cli.notebook import app
from tests.provider.notebooks.given import late_flights, save

if TYPE_CHECKING:
    from pathlib import Path


def test_sync_tells_the_state_and_check_exits_with_1_when_out_of_step(tmp_path: Path) -> None:
    path = save(tmp_path / "late.ipynb", late_flights())
    checked = CliRunner().invoke(app, ["sync", str(path), "--check", "--json"])
    assert (checked.exit_code, json.loads(checked.stdout)["state"]) == (1, "new")
    assert not path.with_suffix(".py").exists()
    synced = CliRunner().invoke(app, ["sync", str(path), "--json"])
    assert json.loads(synced.stdout)["written"] == [str(path.with_suffix(".py")), str(path)]
    assert CliRunner().invoke(app, ["sync", str(path), "--check"]).exit_code == 0


def test_a_refusal_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["sync", str(tmp_path / "none.ipynb")])
    assert (refused.exit_code, refused.stderr) == (1, f"There is no notebook {tmp_path / 'none.ipynb'}\n")
    told = CliRunner().invoke(app, ["to-dag", str(tmp_path / "none.ipynb"), "--json"])
    assert json.loads(told.stdout)["error"] == "UnreadableError"


def test_to_dag_and_back_overwrite_only_what_is_theirs(tmp_path: Path) -> None:
    path = save(tmp_path / "late.ipynb", late_flights())
    dag, back = tmp_path / "late.py", tmp_path / "back.ipynb"
    for _ in range(2):
        assert CliRunner().invoke(app, ["to-dag", str(path), "-o", str(dag)]).exit_code == 0
        assert CliRunner().invoke(app, ["to-notebook", str(dag), "-o", str(back)]).exit_code == 0
    assert CliRunner().invoke(app, ["to-notebook", str(dag), "-o", str(path)]).exit_code == 1
    dag.write_text("x = 1\n")
    assert CliRunner().invoke(app, ["to-dag", str(path), "-o", str(dag)]).exit_code == 1
    assert dag.read_text() == "x = 1\n"
