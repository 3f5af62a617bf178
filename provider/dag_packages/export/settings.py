"""What an author says of a package: ``[package]`` in festaf.toml, or ``[tool.festaf.package]`` in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from festaf.contract.dag_package import Ancestor, Maturity, PackageParameter, Requires
from festaf.contract.model import Model
from festaf.provider.dag_packages.export.errors import SettingsError

FILE: Final = "festaf.toml"
PROJECT_FILE: Final = "pyproject.toml"
LEVELS: Final = 8


class PackageSettings(Model):
    """The table ``[package]``; paths and patterns are relative to the file that it stands in."""

    namespace: str | None = None
    name: str | None = None
    version: str | None = None
    summary: str = ""
    readme: str | None = None
    licence: str | None = None
    maturity: Maturity = "experimental"
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    screenshots: tuple[str, ...] = ()
    root: str | None = None
    """Folder that imports begin at; found by itself otherwise."""
    include: tuple[str, ...] = ()
    """Patterns of files that the code needs and does not name."""
    exclude: tuple[str, ...] = ()
    requires: Requires = Requires()
    parameters: tuple[PackageParameter, ...] = ()
    ancestor: Ancestor | None = None
    folder: Path = Field(default=Path(), exclude=True)
    """Where the file stands; never read from it."""


def read_settings(path: Path) -> PackageSettings:
    """Read the settings that apply to a DAG file or a folder: the nearest file around it, or none.

    :raises SettingsError: the file is wrong
    """
    start = path if path.is_dir() else path.parent
    for folder in (start, *list(start.parents)[:LEVELS]):
        for name, keys in ((FILE, ("package",)), (PROJECT_FILE, ("tool", "festaf", "package"))):
            file = folder / name
            table = _table(file, keys) if file.is_file() else None
            if table is not None:
                return _settings(file, table)
        if (folder / ".git").exists():
            break
    return PackageSettings(folder=start)


def _table(file: Path, keys: tuple[str, ...]) -> dict[str, object] | None:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is no TOML: {error}") from error
    for key in keys:
        inner = found.get(key)
        if inner is None:
            return None
        if not isinstance(inner, dict):
            raise SettingsError(f"{file}: {key} must be a table")
        found = inner
    return found


def _settings(file: Path, table: dict[str, object]) -> PackageSettings:
    if "folder" in table:
        raise SettingsError(f"{file}: folder is no field of a package")
    try:
        return PackageSettings.model_validate({**table, "folder": file.parent})
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError(f"{file}: " + "; ".join(faults)) from error
