"""The wheel as a user gets it: built, installed beside nothing of the checkout, imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]

IMPORT_ALL = """
import importlib, json, pkgutil, sys
target, blocked, rooms = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
sys.path.insert(0, target)
for name in filter(None, blocked):
    sys.modules[name] = None
import festaf
assert festaf.__file__.startswith(target), festaf.__file__
names = []
for room in rooms:
    package = importlib.import_module(f"festaf.{room}")
    names.append(package.__name__)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".migrations." not in module.name:
            importlib.import_module(module.name)
            names.append(module.name)
print(json.dumps(names))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it into an empty folder."""
    built = tmp_path_factory.mktemp("dist")
    run(["-m", "hatchling", "build", "-t", "wheel", "-d", str(built)])
    [wheel] = built.glob("*.whl")
    target = tmp_path_factory.mktemp("installed")
    run(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)])
    return target


def run(arguments: Sequence[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(target: Path, rooms: Sequence[str], *, without: Sequence[str] = ()) -> list[str]:
    names: list[str] = json.loads(
        run(["-c", IMPORT_ALL, str(target), ",".join(without), ",".join(rooms)]).splitlines()[-1]
    )
    return names


def test_every_module_of_every_room_imports_from_the_wheel(installed: Path) -> None:
    rooms = ["contract", "client", "provider", "operators", "sensors", "registry_api", "sharing", "local_aws"]
    names = imported(installed, rooms)
    files = [
        path
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__main__.py" and "migrations" not in path.parts
    ]
    assert len(names) >= len(files)


def test_contract_and_client_need_nothing_but_the_base(installed: Path) -> None:
    without = ["airflow", "fastapi", "sqlalchemy", "boto3", "pandas", "pyarrow", "moto", "duckdb"]
    assert imported(installed, ["contract", "client", "provider.cli"], without=without)


def test_the_registry_needs_neither_airflow_nor_aws(installed: Path) -> None:
    assert imported(installed, ["registry_api"], without=["airflow", "boto3", "botocore", "pandas", "moto"])


def test_the_local_aws_needs_no_airflow(installed: Path) -> None:
    assert imported(installed, ["local_aws"], without=["airflow", "fastapi", "sqlalchemy"])


def test_the_wheel_carries_what_is_not_python(installed: Path) -> None:
    assert (installed / "festaf/py.typed").is_file()
    assert list((installed / "festaf/registry_api/migrations").rglob("*.py"))
    [metadata] = installed.glob("festaf-*.dist-info")
    points = (metadata / "entry_points.txt").read_text()
    for group in ("console_scripts", "festaf.commands", "apache_airflow_provider", "airflow.plugins"):
        assert f"[{group}]" in points
