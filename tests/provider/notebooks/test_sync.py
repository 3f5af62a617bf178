from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from festaf.provider.notebooks.errors import CellError, ChangedMeanwhileError, ConflictError, UnreadableError
from festaf.provider.notebooks.sync import sync
from tests.provider.notebooks.given import code, late_flights, notebook, save, sources, text

if TYPE_CHECKING:
    from pathlib import Path

ONE_LINE = "def count_late(rows, limit): return 1\n\n\nif 0:\n"


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A notebook that is in step with its module."""
    path = save(tmp_path / "late.ipynb", late_flights())
    sync(path)
    return path


def edit(path: Path, old: str, new: str) -> None:
    before = path.read_text("utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


def test_a_task_cell_becomes_a_function_of_what_it_reads_and_binds(late: Path) -> None:
    module = late.with_suffix(".py").read_text()
    assert '# %% [nb:c7] tags=["task"]\ndef count_late(rows, limit):\n    # How late.\n' in module
    assert '    return {"late": late, "count": count}\n' in module
    names: dict[str, object] = {}
    exec(compile(module, "late", "exec"), names)
    assert names["count_late"]([3, 20, 40], 15) == {"late": [40, 80], "count": 2}  # type: ignore[operator]
    assert names["summary"](2, [1, 2, 3]) == '{"count": 2, "of": 3}'  # type: ignore[operator]


def test_a_second_sync_changes_nothing(late: Path) -> None:
    before = late.read_bytes(), late.with_suffix(".py").read_bytes()
    step = sync(late)
    assert (step.state, step.written) == ("in step", ())
    assert (late.read_bytes(), late.with_suffix(".py").read_bytes()) == before


def test_the_notebook_is_kept_but_for_what_festaf_notes(tmp_path: Path) -> None:
    path = save(tmp_path / "late.ipynb", late_flights())
    sync(path)
    content = json.loads(path.read_text("utf-8"))
    del content["metadata"]["festaf"]
    assert content == late_flights()


def test_an_edit_of_a_function_changes_its_cell_alone(late: Path) -> None:
    before = json.loads(late.read_text("utf-8"))["cells"]
    edit(late.with_suffix(".py"), "row > limit", "row >= limit")
    assert sync(late).updated == ("c7",)
    after = json.loads(late.read_text("utf-8"))["cells"]
    assert "row >= limit" in "".join(after[6]["source"])
    after[6]["source"] = before[6]["source"]
    assert after == before


def test_an_edit_of_a_cell_changes_its_function_alone(late: Path) -> None:
    module = late.with_suffix(".py")
    before = module.read_text().split("\n", 1)[1]
    edit(late, "# How late.", "# How very late.")
    assert sync(late).state == "notebook"
    assert module.read_text().split("\n", 1)[1] == before.replace("# How late.", "# How very late.")


def test_types_that_an_editor_adds_stay(late: Path) -> None:
    module = late.with_suffix(".py")
    edit(module, "def count_late(rows, limit):", "def count_late(rows: list[int], limit: int = 15) -> dict[str, int]:")
    sync(late)
    edit(late, "row > limit", "row > limit * 2")
    sync(late)
    assert "def count_late(rows: list[int], limit: int = 15) -> dict[str, int]:" in module.read_text()


def test_a_function_renamed_in_the_module_keeps_its_name(late: Path) -> None:
    module = late.with_suffix(".py")
    edit(module, "def count_late", "def how_many")
    sync(late)
    edit(late, "# How late.", "# How?")
    sync(late)
    assert "def how_many(rows, limit):" in module.read_text()


def test_a_new_function_becomes_a_new_cell(late: Path) -> None:
    module = late.with_suffix(".py")
    module.write_text(module.read_text() + "\n\ndef half(x):\n    return x / 2\n")
    (added,) = sync(late).added
    assert sources(late)[-1] == "def half(x):\n    return x / 2"
    assert f'# %% [nb:{added}] tags=["export"]\ndef half(x)' in module.read_text()
    assert sync(late).state == "in step"


def test_code_above_the_first_cell_becomes_a_new_cell(late: Path) -> None:
    edit(late.with_suffix(".py"), "\n# %% [nb:c2]", "import math\n\n# %% [nb:c2]")
    sync(late)
    assert sources(late)[1] == "import math"
    assert sync(late).state == "in step"


def test_deleting_a_function_asks_for_delete(late: Path) -> None:
    module = late.with_suffix(".py")
    module.write_text(module.read_text().split("# %% [nb:c10]")[0])
    before = late.read_bytes()
    with pytest.raises(CellError, match="--delete"):
        sync(late)
    assert late.read_bytes() == before
    assert sync(late, delete=True).deleted == ("c10",)
    assert len(sources(late)) == 9


def test_deleting_a_cell_asks_for_delete(late: Path) -> None:
    content = json.loads(late.read_text("utf-8"))
    del content["cells"][9]
    save(late, content)
    with pytest.raises(CellError, match="c10"):
        sync(late)
    sync(late, delete=True)
    assert "c10" not in late.with_suffix(".py").read_text()


def test_two_changes_are_a_conflict_that_shows_both(late: Path) -> None:
    module = late.with_suffix(".py")
    edit(module, "# How late.", "# Module.")
    edit(late, "# How late.", "# Notebook.")
    before = late.read_bytes(), module.read_bytes()
    with pytest.raises(ConflictError, match="--prefer") as refused:
        sync(late)
    assert "-    # Notebook." in refused.value.difference
    assert "+    # Module." in refused.value.difference
    assert (late.read_bytes(), module.read_bytes()) == before
    sync(late, prefer="module")
    assert "# Module.\n" in sources(late)[6]
    assert sync(late).state == "in step"


def test_the_same_change_on_both_sides_is_none(late: Path) -> None:
    edit(late.with_suffix(".py"), "# How late.", "# Same.")
    edit(late, "# How late.", "# Same.")
    assert sync(late).state == "in step"


def test_a_module_of_another_origin_is_not_overwritten(tmp_path: Path) -> None:
    path = save(tmp_path / "late.ipynb", late_flights())
    module = tmp_path / "late.py"
    module.write_text("x = 1\n")
    with pytest.raises(ConflictError, match="stands already"):
        sync(path)
    assert module.read_text() == "x = 1\n"


def test_looking_writes_nothing(late: Path) -> None:
    edit(late, "# How late.", "# Other.")
    before = late.read_bytes(), late.with_suffix(".py").read_bytes()
    step = sync(late, write=False)
    assert (step.state, step.written) == ("notebook", ())
    assert "+    # Other." in step.difference
    assert (late.read_bytes(), late.with_suffix(".py").read_bytes()) == before


def test_a_file_that_changes_meanwhile_is_left_alone(late: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from festaf.provider.notebooks import files

    module = late.with_suffix(".py")
    edit(module, "# How late.", "# Other.")
    draft = files._draft

    def slow(change: files.Change) -> Path:
        late.write_text("{}")
        return draft(change)

    monkeypatch.setattr(files, "_draft", slow)
    before = module.read_bytes()
    with pytest.raises(ChangedMeanwhileError, match="changed meanwhile"):
        sync(late)
    assert (late.read_text(), module.read_bytes()) == ("{}", before)
    assert sorted(path.name for path in late.parent.iterdir()) == ["late.ipynb", "late.py"]


def test_a_crash_between_the_two_writes_heals(late: Path) -> None:
    before = late.read_bytes()
    edit(late.with_suffix(".py"), "# How late.", "# Other.")
    sync(late)
    module = late.with_suffix(".py").read_bytes()
    late.write_bytes(before)
    edit(late, "# How late.", "# Other.")
    assert sync(late).state == "in step"
    assert late.with_suffix(".py").read_bytes() == module


def test_old_notebooks_get_ids_that_stay(tmp_path: Path) -> None:
    path = save(tmp_path / "old.ipynb", notebook(code("x = 1", "export"), code("x = 1", "export"), ids=False))
    sync(path)
    content = json.loads(path.read_text("utf-8"))
    first, second = [cell["id"] for cell in content["cells"]]
    assert content["nbformat_minor"] == 5
    assert first != second
    edit(path.with_suffix(".py"), f'[nb:{second}] tags=["export"]\nx = 1', f'[nb:{second}] tags=["export"]\nx = 2')
    sync(path)
    assert sources(path) == ["x = 1", "x = 2"]
    assert [cell["id"] for cell in json.loads(path.read_text("utf-8"))["cells"]] == [first, second]


def test_a_marker_line_stays_jupytexts(late: Path) -> None:
    import jupytext

    cells = jupytext.read(late.with_suffix(".py"), fmt="py:percent").cells[1:]
    assert [cell.metadata["tags"] for cell in cells] == [["export"], ["parameters"], ["task"], ["task"], ["task"]]
    assert [cell.metadata["title"] for cell in cells] == [f"[nb:c{number}]" for number in (2, 3, 5, 7, 10)]


def test_line_endings_tabs_and_letters_of_all_kinds_stay(tmp_path: Path) -> None:
    body = 'if größe:\n\tx = """a\n\tж\n  c"""\nelse:\n\tx = "\\n🛫"'
    path = save(tmp_path / "ü.ipynb", notebook(code("größe = 1", "parameters"), code(body, "task"), code("print(x)")))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    module = tmp_path / "m.py"
    sync(path, module)
    module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n").replace("🛫".encode(), "🛬".encode()))
    sync(path, module)
    assert sources(path)[1] == body.replace("🛫", "🛬")
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")
    assert module.read_bytes().count(b"\n") == module.read_bytes().count(b"\r\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "JSON cannot be read"),
        (b"[1]", "no nbformat"),
        (b'{"nbformat": 3, "worksheets": []}', "nbconvert"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "cell 1 is no cell"),
        (b'{"nbformat": 4, "metadata": {"kernelspec": {"language": "R"}}, "cells": []}', "notebook in R"),
        (b'{"nbformat": 4, "metadata": {}, "cells": []}', "tag the cells"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "JSON cannot be read"),
    ],
)
def test_what_is_no_python_notebook_is_refused_with_a_reason(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_bytes(data)
    with pytest.raises((UnreadableError, CellError), match=words):
        sync(path)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("    late = [", "    if not rows:\n        return 0\n    late = ["), "returns in the middle"),
        (('{"late": late, "count": count}', "len(late)"), "give it a name"),
        (("def count_late(rows, limit):\n    # How late.\n", ONE_LINE), "lines of its own"),
        (("double(row)", "triple(row)"), "no cell above binds"),
        (("[nb:c7]", "[nb:c5]"), "twice"),
        (("[nb:c7]", "[nb:zz]"), "not tagged in the notebook"),
        (("late = [", "late = ["*2), "no valid Python"),
    ],
)  # fmt: skip
def test_what_no_cell_can_hold_is_refused(late: Path, change: tuple[str, str], words: str) -> None:
    module = late.with_suffix(".py")
    edit(module, *change)
    before = late.read_bytes(), module.read_bytes()
    with pytest.raises((CellError, UnreadableError), match=words):
        sync(late)
    assert (late.read_bytes(), module.read_bytes()) == before


def test_huge_outputs_are_carried(tmp_path: Path) -> None:
    content = notebook(code("x = 1", "export"), text("# T"))
    content["cells"][0]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 20_000_000}}
    ]
    path = save(tmp_path / "huge.ipynb", content)
    sync(path)
    assert json.loads(path.read_text())["cells"] == content["cells"]
