"""A DAG reads what its importer chose, and its own defaults where nobody chose."""

from __future__ import annotations

import json
import runpy
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

DAG = (
    'from festaf.provider.parameters import parameter\ncountry = parameter("country", "NL")\nrows = parameter("rows")\n'
)


def load(folder: Path) -> dict[str, object]:
    file = folder / "versions" / "1.0" / "dags" / "sales.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(DAG)
    return runpy.run_path(str(file))


def test_a_parameter_has_its_default_where_nobody_chose(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert (found["country"], found["rows"]) == ("NL", None)


def test_a_choice_above_the_files_of_the_package_holds(tmp_path: Path) -> None:
    (tmp_path / "festaf.parameters.json").write_text(json.dumps({"country": "BE", "rows": 3}))
    found = load(tmp_path)
    assert (found["country"], found["rows"]) == ("BE", 3)


def test_a_choice_of_nothing_is_a_choice(tmp_path: Path) -> None:
    (tmp_path / "festaf.parameters.json").write_text('{"country": null}')
    assert load(tmp_path)["country"] is None


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_damaged_choices_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "festaf.parameters.json").write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        load(tmp_path)
