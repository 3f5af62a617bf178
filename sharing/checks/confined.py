"""The process in which files of a stranger are parsed: it has so much memory and time, and nothing else depends on it.

It reads its bounds and the files as a zip file from stdin and writes a JSON object a line to stdout: the file that it
looks at now, or a finding. So when it dies, the one who started it knows over which file.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import TYPE_CHECKING

from festaf.sharing import canonical_zip
from festaf.sharing.checks.capabilities import check_capabilities
from festaf.sharing.checks.compatibility import airflow_modules, check_compatibility, check_modules, find_ruff
from festaf.sharing.checks.secret_values import shapes_in
from festaf.sharing.checks.secrets import check_notebook, check_secrets
from festaf.sharing.checks.source_text import CODE_ENDINGS, check_source_text, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.contract.dag_package import Finding

ALL_FILES = "all files"
UNREADABLE = frozenset({"large_file", "coding_cookie", "source_encoding", "syntax_error", "too_complex"})
"""Rules by which a file is no Python that anything else could look at."""


def prepare() -> None:
    """Read the tables that every file needs.

    :raises ModuleNotFoundError: a checker is not installed
    """
    airflow_modules()
    tuple(shapes_in(""))
    find_ruff()


def serve() -> None:
    """Check the files on stdin; the first line says how many bytes of memory and seconds of processor time it takes."""
    memory, seconds = map(int, sys.stdin.buffer.readline().split())
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = canonical_zip.read(sys.stdin.buffer.read())
    sound: dict[str, bytes] = {}
    for path, content in files.items():
        _tell({"reading": path})
        findings = tuple(_check(path, content))
        for finding in findings:
            _tell(finding.model_dump(mode="json"))
        if path.endswith(".py") and not any(finding.rule in UNREADABLE for finding in findings):
            sound[path] = content
    _tell({"reading": ALL_FILES})
    for finding in check_compatibility(sound):
        _tell(finding.model_dump(mode="json"))
    _tell({"reading": None})


def _check(path: str, content: bytes) -> Iterator[Finding]:
    syntax = parsed(content) if path.endswith(".py") else None
    if path.casefold().endswith(CODE_ENDINGS):
        yield from check_source_text(path, content, syntax)
    if path.casefold().endswith(".ipynb"):
        yield from check_notebook(path, content)
    yield from check_secrets(path, content, syntax)
    if syntax is not None:
        yield from check_capabilities(path, syntax)
        yield from check_modules(path, syntax)


def _tell(line: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()
