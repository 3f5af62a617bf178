"""The code that runs: the DAG file's text, and a task's Python function."""

from __future__ import annotations

import inspect
import logging
import textwrap
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of

if TYPE_CHECKING:
    from airflow.sdk import DAG

log = logging.getLogger(__name__)

MAX_BYTES = 1024 * 1024
"""A DAG file larger than this is generated, not written; its text is left out."""
MAX_FUNCTION = 100_000
"""Characters; a longer function is left out."""
EXECUTED = "<string>"
"""What Python calls the file of every text that is executed; from 3.13 on it takes that of ``python -c`` for all."""


@dataclass(frozen=True)
class DagFile:
    """A DAG file as this process runs it."""

    path: str
    """Inside its bundle."""
    text: str | None

    @property
    def sha256(self) -> str | None:
        """Hash the text."""
        return None if self.text is None else sha256_of(self.text)


def dag_file(dag: DAG, bundle: Path | None) -> DagFile:
    """Read the file of a DAG; the text is None when it cannot be read."""
    path = Path(dag.fileloc)
    inside = dag.relative_fileloc
    if not inside:
        inside = str(path.relative_to(bundle)) if bundle and path.is_relative_to(bundle) else path.name
    try:
        return DagFile(inside, _read(path))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        log.info("The DAG file %s is left out of the lineage: %s", path, error)
        return DagFile(inside, None)


def function_source(function: object) -> str | None:
    """Give the text of what a task calls; None for what is not written in a file, such as a builtin.

    Of a partial it is the function inside, of a decorated one the author's own, of an object its class.
    """
    while isinstance(function, partial):
        function = function.func
    if not callable(function):
        return None
    written = inspect.unwrap(function)
    if not (inspect.isroutine(written) or inspect.isclass(written)):
        written = type(written)
    try:
        text = read_source(written)
    except (OSError, TypeError, SyntaxError, IndentationError, ValueError):
        return None
    if len(text) > MAX_FUNCTION:
        log.info("The source of %r is left out of the lineage: it has %d characters", function, len(text))
        return None
    return text


def read_source(written: Any) -> str:
    """Give the text of a function or class as it stands in its file, without the indentation.

    :raises OSError: it stands in no file
    :raises TypeError: it is a builtin, or nothing that is written
    """
    if inspect.isfunction(written) and written.__code__.co_filename == EXECUTED:
        raise OSError("it was executed as a text, and stands in no file")
    return textwrap.dedent(inspect.getsource(written))


def masked(value: Any) -> Any:
    """Hide in every text what Airflow knows to be a secret, such as the passwords of the connections it gave out."""
    from airflow.providers.common.compat.sdk import redact

    if isinstance(value, str):
        return str(redact(value))
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def _read(path: Path) -> str:
    content = path.read_bytes() if path.is_file() else _read_zipped(path)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {len(content)} bytes, at most {MAX_BYTES} are sent")
    return content.decode("utf-8")


def _read_zipped(path: Path) -> bytes:
    """Read a DAG file inside a zip archive, whose path Airflow writes as ``/dags/archive.zip/file.py``."""
    for parent in path.parents:
        if parent.is_file():
            with zipfile.ZipFile(parent) as archive:
                return archive.read(path.relative_to(parent).as_posix())
    raise FileNotFoundError(f"{path} is not there")
