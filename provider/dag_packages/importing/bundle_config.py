"""Tell Airflow of a bundle: the option ``[dag_processor] dag_bundle_config_list``.

Bundles are static in Airflow: a new one is seen after a restart of the DAG processor and the workers. Upgrades and
rollbacks need none, because they change only the lock file.
"""

from __future__ import annotations

import configparser
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from festaf.provider.dag_packages.disk import replace
from festaf.provider.dag_packages.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.provider.dag_packages.importing.lock import LockedPackage

CLASSPATH = "festaf.provider.bundles.registry.RegistryDagBundle"
SECTION, OPTION = "dag_processor", "dag_bundle_config_list"
VARIABLE = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
_OPTION_LINES = re.compile(rf"^{OPTION}[ \t]*[=:].*(?:\n[ \t]+\S.*)*", re.MULTILINE)


@dataclass(frozen=True)
class BundleConfig:
    """What Airflow's configuration says of its bundles."""

    entries: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls) -> BundleConfig:
        """Read it as Airflow does."""
        from airflow.configuration import conf

        entries: Any = conf.getjson(SECTION, OPTION)
        return cls(tuple(entries or ()))

    def names(self, package: LockedPackage) -> bool:
        """Tell whether the bundle of a package is there.

        :raises PackageError: a bundle of that name runs something else
        """
        found = next((entry for entry in self.entries if entry.get("name") == package.bundle), None)
        if found is None:
            return False
        if found.get("classpath") != CLASSPATH or found.get("kwargs", {}).get("package") != package.package:
            raise PackageError(
                f"Airflow has a bundle {package.bundle!r} already, and it does not run {package.package}; choose "
                "another name: --bundle NAME"
            )
        return True

    def with_packages(self, packages: Sequence[LockedPackage]) -> str:
        """Give the value that names the bundles of packages, too."""
        known = {entry.get("name") for entry in self.entries}
        new = [
            {"name": found.bundle, "classpath": CLASSPATH, "kwargs": {"package": found.package}}
            for found in packages
            if found.bundle not in known
        ]
        return json.dumps([*self.entries, *new])

    def without(self, package: LockedPackage) -> str:
        """Give the value that does not name the bundle of a package."""
        return json.dumps([entry for entry in self.entries if entry.get("name") != package.bundle])


def write_option(value: str) -> Path:
    """Write the option into ``airflow.cfg``, and leave every other line as it is.

    :raises PackageError: the environment overrules the file, or the file cannot be changed safely
    """
    if VARIABLE in os.environ:
        raise PackageError(f"{VARIABLE} is set in the environment and overrules airflow.cfg; change it there")
    from airflow.configuration import AIRFLOW_CONFIG

    path = Path(AIRFLOW_CONFIG)
    if not path.is_file():
        raise PackageError(f"There is no {path} to write to; set {VARIABLE} in the environment")
    before = path.read_text()
    after = _changed(before, f"{OPTION} = {value.replace('%', '%%')}")
    if _others(before) != _others(after):
        raise PackageError(f"{path} is written in a way that cannot be changed safely; set {VARIABLE} instead")
    replace(path, after.encode())
    return path


def _changed(text: str, line: str) -> str:
    section = re.search(rf"^\[{SECTION}\][^\n]*\n", text, re.MULTILINE)
    if section is None:
        return f"{text.rstrip()}\n\n[{SECTION}]\n{line}\n"
    following = re.search(r"^\[", text[section.end() :], re.MULTILINE)
    end = section.end() + following.start() if following else len(text)
    body = text[section.end() : end]
    body, found = _OPTION_LINES.subn(lambda _: line, body, count=1)
    return text[: section.end()] + (body if found else f"{line}\n{body}") + text[end:]


def _others(text: str) -> dict[tuple[str, str], str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return {
        (section, option): value
        for section in parser.sections()
        for option, value in parser.items(section)
        if (section, option) != (SECTION, OPTION)
    }
