"""The files of a folder as a package: listed at once, read when they are asked for."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from festaf.sharing.reading.bounds import MAXIMUM_SOURCE

IGNORED = {".git", ".hg", ".svn", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".mypy_cache", "logs"}
MAXIMUM_FILES = 20_000
MAXIMUM_FILE = 16 * 1024 * 1024
LEVELS = 6
ELSEWHERE = sys.stdlib_module_names | {"airflow", "festaf"}
"""Modules that no DAG brings along: a folder ``airflow`` that lies around one is Airflow's home, ``festaf`` a clone."""
MARKS = (".git", "pyproject.toml", "setup.py", ".hg")


class TooManyFilesError(Exception):
    """A folder has more files than a package may have."""


class Folder(Mapping[str, bytes]):
    """The regular files under a folder by their POSIX path; links are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._paths = dict.fromkeys(sorted(_walk(root)))
        self._read: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        """Read a file; one that is too large to be shared counts as empty."""
        if path not in self._paths:
            raise KeyError(path)
        if path not in self._read:
            file = self.root / path
            self._read[path] = file.read_bytes() if file.stat().st_size <= MAXIMUM_FILE else b""
        return self._read[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths


def _walk(root: Path) -> Iterator[str]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in IGNORED and not name.endswith(".egg-info"))
        for name in names:
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > MAXIMUM_FILES:
                raise TooManyFilesError(f"{root} has more than {MAXIMUM_FILES} files; name a folder inside it")
            yield path.relative_to(root).as_posix()


def import_root(path: Path) -> Path:
    """Find the folder that imports of a DAG file, or of a folder of them, start from.

    It is the nearest folder around that holds the most of the modules that are imported; Airflow knows it as the root
    of the bundle.
    """
    own = path if path.is_dir() else path.parent
    wanted = set().union(*(_imports(file) for file in _python_files(path))) - ELSEWHERE
    best, most = own, sum(_holds(own, name) for name in wanted)
    for folder in _around(own):
        found = sum(_holds(folder, name) for name in wanted)
        if found > most:
            best, most = folder, found
    return best


def _python_files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))[:200]


def _around(own: Path) -> Iterator[Path]:
    """Walk outwards until the folder of a repository."""
    folder = own
    for _ in range(LEVELS):
        if any((folder / mark).exists() for mark in MARKS) or folder == folder.parent:
            return
        folder = folder.parent
        yield folder


def _holds(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or ((folder / name).is_dir() and any((folder / name).glob("**/*.py")))


def _imports(path: Path) -> set[str]:
    """Name the first parts of the modules that a file imports absolutely."""
    try:
        if path.stat().st_size > MAXIMUM_SOURCE:
            return set()
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names
