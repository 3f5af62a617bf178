from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from festaf.provider.notebooks.dag_file import write_dag
from festaf.provider.notebooks.document import read_document
from tests.provider.notebooks.given import code, notebook

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_airflow_runs_the_dag_of_a_notebook(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    content = notebook(
        code("import json\nfrom pathlib import Path", "export"),
        code(f'limit = 15\nplace = "{result}"', "parameters"),
        code("rows = [3, 20, 40]", "task", name="read"),
        code("late = [row for row in rows if row > limit]\ncount = len(late)", "task", name="pick"),
        code('Path(place).write_text(json.dumps({"late": late, "count": count}))', "task", name="save"),
    )
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "late.py").write_text(write_dag(read_document(json.dumps(content), "late.ipynb"), "late.ipynb", {}).text)
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for words in (["db", "migrate"], ["dags", "test", "late", "--conf", '{"limit": 30}']):
        command = [sys.executable, "-m", "airflow", *words]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(result.read_text()) == {"late": [40], "count": 1}
