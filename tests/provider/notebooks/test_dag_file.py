from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from festaf.provider.notebooks.carrying import write_notebook
from festaf.provider.notebooks.dag_file import write_dag
from festaf.provider.notebooks.document import Document, read_document
from festaf.provider.notebooks.errors import CellError, UnreadableError
from tests.provider.notebooks.given import code, late_flights, notebook, text

EXAMPLES = sorted((Path(__file__).parents[3] / "dags").glob("*.py"))
TASKFLOW = '''"""My doc."""
from airflow.sdk import dag, task

K = 2  # two

@dag(schedule="@daily", tags=["a"])  # why
def flow(day: str = "2013"):
    """The DAG's doc."""

    @task(retries=2)
    def extract(day):
        """Get it."""
        if not day:
            return []
        return [1, 2]

    # and then
    @task
    def load(rows):
        text = """
a
  b"""
        return len(rows) * K

    rows = extract(day)  # go
    # then load
    load(rows)


flow()
'''


def document(content: dict[str, Any]) -> Document:
    return read_document(json.dumps(content), "late.ipynb")


def told(content: Document) -> list[tuple[str, str, list[str], str]]:
    """What a way there and back must keep; code without a tag stays in the notebook."""
    return [(c.id, c.kind, c.tags, c.source) for c in content.cells if c.kind != "code" or c.role or "flow" in c.tags]


def test_a_notebook_becomes_a_dag_that_airflow_runs_to_the_same_results(tmp_path: Path) -> None:
    from tests.dagbag import DagBag

    content = late_flights()
    file = tmp_path / "late.py"
    file.write_text(write_dag(document(content), "late.ipynb", {"schedule": "@daily", "owner": "team:flights"}).text)
    bag = DagBag(str(file))
    assert bag.import_errors == {}
    dag = bag.dags["late"]
    edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert edges == {"read_rows": {"count_late", "summary"}, "count_late": {"summary"}, "summary": set()}
    assert dag.doc_md == "# Late flights\n\nHow many leave *late*?\n"
    assert dict(dag.params) == {"limit": 15, "airport": "JFK"}
    names: dict[str, Any] = {}
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    functions = {task.task_id: task.python_callable for task in dag.tasks}
    rows = functions["read_rows"](names["airport"])
    count = functions["count_late"](rows, names["limit"])
    assert rows == names["rows"]
    assert count == names["count"]
    assert functions["summary"](count, rows) == names["summary"]


def test_a_notebook_comes_back_from_its_dag_with_all_that_the_dag_holds() -> None:
    content = document(late_flights())
    content.settings = {"dag": {"schedule": "@daily", "tags": ["a"], "owner": "me", "retries": 2, "dag_id": "late"}}
    dag = write_dag(content, "late.ipynb", {}).text
    back = write_notebook(dag, Path("late.py"))
    assert told(back) == told(content)
    assert back.settings == content.settings
    assert write_dag(back, "late.ipynb", {}).text == dag


def test_a_function_edited_in_the_dag_changes_its_cell() -> None:
    dag = write_dag(document(late_flights()), "late.ipynb", {}).text.replace("row > limit", "row >= limit")
    back = write_notebook(dag, Path("late.py"))
    assert [cell.source for cell in back.cells if cell.id == "c7"] == [
        "# How late.\nlate = [double(row) for row in rows if row >= limit]\ncount = len(late)"
    ]


def test_a_taskflow_dag_becomes_sections_that_run(tmp_path: Path) -> None:
    back = write_notebook(TASKFLOW, Path("flow.py"))
    assert write_dag(back, "flow.ipynb", {}).text == TASKFLOW
    sources = [cell.source for cell in back.cells]
    assert "## extract\n\nGet it." in sources
    assert '## The graph\n\n```mermaid\ngraph LR\n    t0["extract"]\n    t1["load"]\n    t0 --> t1\n```' in sources
    names: dict[str, Any] = {}
    for cell in back.cells:
        if cell.kind == "code":
            exec(cell.source, names)
    assert names["rows"] == [1, 2]
    assert names["load"]([1, 2]) == 4


def test_an_edit_in_a_section_is_in_the_dag() -> None:
    back = write_notebook(TASKFLOW, Path("flow.py"))
    cell = next(cell for cell in back.cells if cell.source.startswith("def extract"))
    cell.source = cell.source.replace("[1, 2]", "[1]")
    assert write_dag(back, "flow.ipynb", {}).text == TASKFLOW.replace("return [1, 2]", "return [1]")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_any_dag_is_carried_without_a_loss(path: Path) -> None:
    dag = path.read_text("utf-8")
    back = read_document(write_notebook(dag, path).text(), "nb.ipynb")
    assert write_dag(back, "nb.ipynb", {}).text == dag


def test_a_file_without_a_dag_is_refused() -> None:
    with pytest.raises(UnreadableError, match="defines no DAG"):
        write_notebook("x = 1\n", Path("x.py"))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([code("%time x = 1", "task")], "cell 1 .c1. uses '%time x = 1'"),
        ([code("x = 1 +", "export")], "no valid Python"),
        ([code("x = 1"), code("y = x", "task")], "stays in the notebook"),
        ([code("y = x", "task")], "no cell above binds"),
        ([code("x = 1", "task"), code("y = x", "export")], "makes when it"),
        ([code("def f(): return x", "export"), code("x = 1", "task")], "makes when it"),
        ([code("a = 1", "task"), code("if a: x = 1", "task"), code("print(x)", "task")], "only on some paths"),
        ([code("x = 1", "task"), code("del x", "task"), code("print(x)", "task")], "deleted"),
        ([code("def f():\n    global n\n    n = 1\nf()", "task")], "global n"),
        ([code("from math import *\nx = pi", "task")], "imports \\*"),
        ([code("import math", "task", name="a"), code("x = math.pi", "task")], "an import that a later cell uses"),
        ([code("n = 1\ndef f(): return n", "export"), code("n = 2", "task"), code("f(), n", "task")], "would not"),
        ([code("x = 1", "export")], "no cell tagged task"),
        ([code("return 1", "task")], "outside function"),
        ([code("task = 1\nx = task", "task", name="a"), code("dag = 1", "export")], "a name that the DAG file needs"),
    ],
)  # fmt: skip
def test_what_no_task_can_do_is_refused_with_the_cell(cells: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(CellError, match=words):
        write_dag(document(notebook(*cells)), "late.ipynb", {})


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([code("import pandas as pd", "export"), code("f = pd.DataFrame()", "task"), code("len(f)", "task")], "XCom"),
        ([code("for x in [1]:\n    y = x", "task"), code("print(y)", "task")], "only inside a loop"),
        ([code("C = {}", "export"), code('C["a"] = 1', "task")], "in place"),
        ([code("a = 1", "task"), code("b = 1", "task")], "share no data"),
        ([code("from math import *", "export"), code("x = pi", "task")], "import \\*"),
        ([code("n = 1", "parameters"), code("def f(): return n", "export"), code("f()", "task")], "parameter"),
    ],
)  # fmt: skip
def test_what_the_author_should_know_is_said(cells: list[dict[str, Any]], words: str) -> None:
    import re

    notes = write_dag(document(notebook(*cells)), "late.ipynb", {}).notes
    assert any(re.search(words, note) for note in notes), notes


def test_values_changed_in_place_are_handed_on() -> None:
    cells = [
        code("r = [1]", "task", name="a"),
        code("r.append(2)", "task", name="b"),
        code("n = len(r)\nn", "task", name="c"),
    ]
    dag = write_dag(document(notebook(*cells)), "late.ipynb", {}).text
    assert "    r = a()\n    r = b(r)\n    n = c(r)\n" in dag


def test_tasks_that_share_no_data_are_ordered_by_their_metadata() -> None:
    cells = [code("print(1)", "task", name="a"), code("print(2)", "task", name="b", after=["a"], task={"retries": 3})]
    dag = write_dag(document(notebook(*cells, text("The end."))), "late.ipynb", {}).text
    assert "    a_done = a()\n    b_done = b()\n    a_done >> b_done\n" in dag
    assert "@task(retries=3)\ndef b():" in dag
    assert told(write_notebook(dag, Path("l.py"))) == told(document(notebook(*cells, text("The end."))))


def test_a_cell_that_awaits_becomes_an_async_task() -> None:
    cells = [code("import asyncio", "export"), code("x = await asyncio.sleep(0, 1)\nx", "task", name="a")]
    assert "@task\nasync def a():" in write_dag(document(notebook(*cells)), "late.ipynb", {}).text


def test_the_functions_can_come_from_the_synced_module() -> None:
    dag = write_dag(document(late_flights()), "late.ipynb", {}, module="late_flights").text
    assert "import late_flights" in dag
    assert "def late(limit=late_flights.limit, airport=late_flights.airport):" in dag
    assert "count_late_values = task(multiple_outputs=True)(late_flights.count_late)(rows, limit)" in dag
