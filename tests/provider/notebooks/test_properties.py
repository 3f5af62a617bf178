"""Whatever a notebook computes, its functions compute; whatever is synced, stays."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from festaf.provider.notebooks.blueprint import draw
from festaf.provider.notebooks.carrying import write_notebook
from festaf.provider.notebooks.dag_file import write_dag
from festaf.provider.notebooks.document import read_document
from festaf.provider.notebooks.errors import CellError
from festaf.provider.notebooks.function import render
from festaf.provider.notebooks.indentation import dedent, indent
from festaf.provider.notebooks.sync import sync
from tests.provider.notebooks.given import code, notebook, save, sources, text

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = st.sampled_from(["a", "b", "c"])
STATEMENTS = st.one_of(
    st.builds("{} = {} + [1]".format, NAMES, NAMES),
    st.builds("{} += [len({})]".format, NAMES, NAMES),
    st.builds("{}.append(len({}))".format, NAMES, NAMES),
    st.builds("if len({}) > 2:\n    {} = [0]".format, NAMES, NAMES),
    st.builds("if {}:\n    {} = [3]\nelse:\n    {} = [4]".format, NAMES, NAMES, NAMES),
    st.builds("for n in {}:\n    {} = [n]".format, NAMES, NAMES),
    st.builds("{} = [x + k for x in {}]".format, NAMES, NAMES),
    st.builds("def f():\n    return {}\n{} = f() + [k]".format, NAMES, NAMES),
    st.builds("try:\n    {} = {}[1]\nexcept IndexError:\n    {} = []".format, st.just("d"), NAMES, NAMES),
    st.builds("{} = [len('''x\n  y{}''')]".format, NAMES, st.sampled_from(["", "\n"])),
    st.builds("{}[:] = [2]  # {}".format, NAMES, st.text("ab%'\"ü", max_size=4)),
)
CELLS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join), min_size=1, max_size=5)


def made(bodies: list[str]) -> dict[str, Any]:
    """A notebook whose tasks compute with three lists, and that reads them all at the end."""
    tasks = [code(body, "task", name=f"task_{number}") for number, body in enumerate(bodies)]
    start = code("a = [1]\nb = [1, 2]\nc = []", "task", name="start")
    end = code("result = [a, b, c]\nresult", "task", name="end")
    return notebook(code("k = 1", "parameters"), start, text("Words."), *tasks, end)


@settings(max_examples=150, deadline=None)
@given(CELLS)
def test_the_functions_compute_what_the_cells_compute(bodies: list[str]) -> None:
    content = made(bodies)
    try:
        plan = draw(read_document(json.dumps(content), "n.ipynb"))
    except CellError:
        return
    names: dict[str, Any] = {}
    for cell in plan.document.cells:
        if cell.kind == "code":
            exec(cell.source, names)
    values: dict[str, Any] = {"k": 1}
    for task in plan.tasks:
        space: dict[str, Any] = {"k": 1}
        exec(render(task), space)
        got = space[task.name](**{name: copy.deepcopy(values[name]) for name in task.parameters})
        returned: Mapping[str, Any] = got if len(task.returns) > 1 else dict.fromkeys(task.returns, got)
        values |= copy.deepcopy(returned)
    assert values["result"] == names["result"]


@settings(max_examples=60, deadline=None)
@given(CELLS)
def test_a_dag_gives_its_notebook_back(bodies: list[str]) -> None:
    content = read_document(json.dumps(made(bodies)), "n.ipynb")
    with contextlib.suppress(CellError):
        dag = write_dag(content, "n.ipynb", {}).text
        back = write_notebook(dag, Path("n.py"))
        assert [(c.id, c.tags, c.source) for c in back.cells] == [(c.id, c.tags, c.source) for c in content.cells]


@settings(max_examples=40, deadline=None)
@given(CELLS, st.data())
def test_an_edit_on_either_side_arrives_on_the_other(bodies: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(CellError):
        path = save(Path(folder) / "n.ipynb", made(bodies))
        sync(path)
        module = path.with_suffix(".py")
        before = json.loads(path.read_text("utf-8"))
        number = data.draw(st.integers(0, len(bodies) - 1))
        if data.draw(st.booleans()):
            changed = f"# Edited.\n{bodies[number]}"
            before["cells"][3 + number]["source"] = changed.splitlines(keepends=True)
            save(path, before)
            assert sync(path).state == "notebook"
            assert "    # Edited.\n" in module.read_text("utf-8")
        else:
            parts = module.read_text("utf-8").split("# %% ")
            place = 3 + number
            head, body = parts[place].split(":\n", 1)
            parts[place] = f"{head}:\n    # Edited.\n{body}"
            module.write_text("# %% ".join(parts), "utf-8")
            assert sync(path).state == "module"
            assert sources(path)[3 + number] == f"# Edited.\n{bodies[number]}"
            after = json.loads(path.read_text("utf-8"))
            assert [c["outputs"] for c in after["cells"] if "outputs" in c] == [
                c["outputs"] for c in before["cells"] if "outputs" in c
            ]
        assert sync(path).written == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=4).map("\n".join))
def test_indentation_comes_back(source: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert dedent(indent(source)) == source
