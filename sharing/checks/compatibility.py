"""Whether code runs on Airflow 3: ruff's rules for it over every file, and whether the modules it imports exist.

Ruff knows what was removed, moved and changed; it does not know every module. The table beside this file lists those of
Airflow itself as they are in ``TABLE_OF``; a test keeps it in step with the Airflow that is installed.
"""

from __future__ import annotations

import ast
import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from festaf.contract.dag_package import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.sharing.checks.source_text import Syntax

TABLE_OF: Final = "3.3"
TABLE: Final = Path(__file__).with_name("airflow_modules.txt")
RULES: Final = "AIR30"
"""All of them by their beginning: ruff refuses to run for a rule that it does not know yet."""
WARNINGS: Final = frozenset({"AIR304"})
"""Rules of things that work, and had better not be done."""
_SECONDS: Final = 60
_LONGEST_MESSAGE: Final = 500


@cache
def airflow_modules() -> frozenset[str]:
    """Give the names of Airflow's own modules, those of providers aside."""
    return frozenset(TABLE.read_text().split())


def check_modules(path: str, syntax: Syntax) -> Iterator[Finding]:
    """Give the imports of modules that Airflow does not have; what ``except ImportError`` guards is left out."""
    imports = [node for node in syntax.nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    absent = [(node, module) for node in imports for module in _imported(node) if _is_absent(module)]
    if not absent:
        return
    guarded = {id(inner) for node in syntax.nodes if isinstance(node, ast.Try) for inner in _guarded(node)}
    for node, module in absent:
        if id(node) not in guarded:
            message = f"Airflow {TABLE_OF} has no module {module}"
            yield Finding(rule="absent_module", severity="error", message=message, file=path, line=node.lineno)


def check_compatibility(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Give what ruff says of these files, which can all be parsed.

    :param files: the Python files of a package
    """
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="festaf-ruff-") as folder:
        root = Path(folder).resolve()
        for number, content in enumerate(files.values()):
            (root / f"{number}.py").write_bytes(content)
        names = {str(root / f"{number}.py"): path for number, path in enumerate(files)}
        yield from sorted(_told_by_ruff(root, names), key=lambda finding: (finding.file or "", finding.line or 0))


def _told_by_ruff(root: Path, names: Mapping[str, str]) -> Iterator[Finding]:
    command = [find_ruff(), "check", "--isolated", "--preview", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet"]
    try:
        answer = subprocess.run(
            [*command, "--select", RULES, "--target-version", "py311", "--output-format", "json", "."],
            cwd=root,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"RAYON_NUM_THREADS": "1", "RUFF_NO_CACHE": "true"},
        )
    except subprocess.TimeoutExpired:
        yield _unchecked(f"it took longer than {_SECONDS} seconds")
        return
    try:
        told: list[dict[str, Any]] = json.loads(answer.stdout)
    except ValueError:
        yield _unchecked(f"ruff ended with {answer.returncode}")
        return
    for item in told:
        rule = item["code"] or "syntax_error"
        message = str(item["message"])[:_LONGEST_MESSAGE]
        severity: Literal["error", "warning"] = "warning" if rule in WARNINGS else "error"
        path = names[item["filename"]]
        yield Finding(rule=rule, severity=severity, message=message, file=path, line=item["location"]["row"])


def find_ruff() -> str:
    """Find ruff beside the Python that runs, before the search path: a shell may know another one.

    :raises ModuleNotFoundError: it is not installed
    """
    # Older ones offer it nowhere else.
    from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # It has no annotations.

    return str(find_ruff_bin())


def _unchecked(why: str) -> Finding:
    message = f"Whether the code runs on Airflow 3 could not be checked: {why}"
    return Finding(rule="compatibility_unchecked", severity="error", message=message)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [] if node.level or node.module is None else [node.module]


def _is_absent(module: str) -> bool:
    parts = module.split(".")
    if parts[0] != "airflow" or parts[1:2] == ["providers"]:
        return False
    return module not in airflow_modules()


def _guarded(node: ast.Try) -> Iterator[ast.AST]:
    """Give what stands in a ``try`` or its handlers when an absent module is expected there."""
    caught = {name for handler in node.handlers for name in _names(handler.type)}
    if caught & {"ImportError", "ModuleNotFoundError", "Exception", ""}:
        for statement in (*node.body, *(inner for handler in node.handlers for inner in handler.body), *node.orelse):
            yield from ast.walk(statement)


def _names(node: ast.expr | None) -> Iterator[str]:
    if node is None:
        yield ""
    elif isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from _names(item)
    elif isinstance(node, ast.Name):
        yield node.id
