"""Values that the author of a shared DAG lets its importers choose.

An importer's choices stand in ``festaf.parameters.json`` beside or above the files of the package, where the bundle
writes them. Without that file, on the author's own Airflow, every parameter has its default. It is read while Airflow
parses the DAG, so this module needs nothing but the standard library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = "festaf.parameters.json"
LEVELS = 20


def parameter(name: str, default: Any = None) -> Any:
    """Give the value that the importer of this package chose, or the default.

    :param name: as ``[[package.parameters]]`` in festaf.toml declares it
    :param default: what it is without a choice
    :raises ValueError: the file with the choices is damaged
    """
    # The file is looked for from the one that asks: several packages may be loaded in one process.
    caller = Path(sys._getframe(1).f_code.co_filename)
    return chosen(caller).get(name, default)


def chosen(file: Path) -> dict[str, Any]:
    """Give all choices that hold for a file of a package."""
    for folder in list(file.absolute().parents)[:LEVELS]:
        choices = folder / FILE
        if choices.is_file():
            return _read(choices)
    return {}


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}; import the package again") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} is damaged: it holds no object; import the package again")
    return found
