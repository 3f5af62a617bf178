"""The rooms' links, the wheel's table and the lists agree; files stay small and named by a noun."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
ROOMS = sorted(link.name for link in (ROOT / "src/festaf").iterdir() if link.is_symlink())
PYTHON_FILES = sorted(
    path
    for folder in (*ROOMS, "dags", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)


def test_every_link_leads_to_the_room_of_its_name() -> None:
    assert ROOMS
    for room in ROOMS:
        assert (ROOT / "src/festaf" / room).readlink() == Path("../..") / room
        assert (ROOT / room / "__init__.py").is_file()


def test_the_wheel_holds_every_room_and_nothing_else() -> None:
    assert sorted(WHEEL["only-include"]) == sorted(["src/festaf/__init__.py", "src/festaf/py.typed", *ROOMS])
    assert WHEEL["sources"] == {"src/festaf": "festaf"} | {room: f"festaf/{room}" for room in ROOMS}


def test_tests_mirror_the_rooms() -> None:
    folders = {folder.name for folder in (ROOT / "tests").iterdir() if (folder / "__init__.py").is_file()}
    assert set(ROOMS) <= folders


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_by_a_noun(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert len(path.read_text().splitlines()) <= 400


def test_no_file_imports_across_rooms_by_folder() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in PYTHON_FILES
        for line in path.read_text().splitlines()
        if line.lstrip().startswith(tuple(f"from {room}" for room in ROOMS)) or line.lstrip().startswith("from .")
    ]
    assert wrong == []
