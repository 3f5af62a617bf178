"""The table of Airflow's modules is that of the Airflow which is installed.

``KEEP_AIRFLOW_MODULES=1 pytest tests/sharing/test_airflow_modules.py`` writes it anew after an upgrade.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from festaf.sharing.checks.compatibility import TABLE, TABLE_OF, airflow_modules

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long
LIST = """
import importlib, pkgutil, sys, warnings
warnings.simplefilter("ignore")
import airflow
names = {"airflow"} | {
    module.name for module in pkgutil.walk_packages(airflow.__path__, "airflow.", onerror=lambda name: None)
}
for package in "operators sensors hooks utils models decorators secrets triggers notifications".split():
    try:
        importlib.import_module(f"airflow.{package}")  # Adds the modules that lead to where they moved.
    except ImportError:
        pass
names |= {name for name in sys.modules if name.startswith("airflow.")}
hidden = ("airflow.providers.", "airflow.migrations.", "airflow._vendor.", "airflow.sdk._shared.")
print("\\n".join(sorted(name for name in names if not name.startswith(hidden))))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    home: Path = tmp_path_factory.mktemp("airflow")
    answer = subprocess.run(
        [sys.executable, "-c", LIST],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
    )
    lines = answer.stdout.splitlines()
    return frozenset(line for line in lines if line == "airflow" or line.startswith("airflow."))


@pytest.mark.skipif(
    Version(version("apache-airflow")) < Version(TABLE_OF), reason="the table is that of a newer Airflow than this one"
)
def test_the_table_is_that_of_the_installed_airflow(installed: frozenset[str]) -> None:
    if os.environ.get("KEEP_AIRFLOW_MODULES"):
        TABLE.write_text("".join(f"{name}\n" for name in sorted(installed)))
        airflow_modules.cache_clear()
    assert airflow_modules() == installed
    assert version("apache-airflow").startswith(f"{TABLE_OF}.")


def test_modules_that_moved_are_in_the_table_and_removed_ones_are_not() -> None:
    assert {
        "airflow.sdk",
        "airflow.operators.bash",
        "airflow.models.variable",
        "airflow.providers_manager",
    } <= airflow_modules()
    assert not {"airflow.operators.subdag", "airflow.contrib"} & airflow_modules()
