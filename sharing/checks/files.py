"""Check the files of a package in a process of its own, which cannot take the caller's memory or time with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from festaf.contract.dag_package import Finding
from festaf.sharing import canonical_zip, limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.contract.dag_package import Manifest

MEMORY: Final = 1024 * limits.MIB
SECONDS: Final = 60
MOST: Final = 1_000
"""Findings; who has more does not read them."""
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from festaf.sharing.checks.confined import main; "
    "main(int(sys.argv[2]), int(sys.argv[3]))"
)


class ChecksMissingError(ModuleNotFoundError):
    """The checkers of the extra ``sharing`` are not installed."""


def check_files(
    files: Mapping[str, bytes], manifest: Manifest, *, seconds: int = SECONDS, memory: int = MEMORY
) -> tuple[Finding, ...]:
    """Give what the checks find in files that may stand in a package, and in what the manifest says of them.

    :param files: by path; what ``archive.refused`` refuses is not among them
    :param seconds: of processor time, for all files together
    :param memory: bytes
    :raises ChecksMissingError: a checker is not installed
    """
    found = [*_of_manifest(manifest), *_confined(files, seconds, memory)]
    if len(found) <= MOST:
        return tuple(found)
    message = f"There are {len(found) - MOST} findings more"
    severity: Literal["error", "note"] = (
        "error" if any(finding.severity == "error" for finding in found[MOST:]) else "note"
    )
    return (*found[:MOST], Finding(rule="many_findings", severity=severity, message=message))


def _of_manifest(manifest: Manifest) -> Iterator[Finding]:
    for dag in manifest.dags:
        if dag.dag_id is not None and not dag.dag_id.isascii():
            message = f"The DAG's id {dag.dag_id[:80]!a} has letters that can look like others"
            yield Finding(rule="dag_id_letters", severity="warning", message=message, file=dag.file, line=dag.line)


def _confined(files: Mapping[str, bytes], seconds: int, memory: int) -> Iterator[Finding]:
    if not files:
        return
    # Isolated: the caller's environment and working folder decide nothing; only where this package lies is told.
    root = str(Path(__file__).absolute().parents[3])
    command = [sys.executable, "-I", "-c", _PROGRAM, root, str(memory), str(seconds)]
    try:
        answer = subprocess.run(
            command,
            input=canonical_zip.write(sorted(files.items())),
            capture_output=True,
            timeout=3 * seconds,
            check=False,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )
        output, complete, errors = answer.stdout, answer.returncode == 0, answer.stderr
    except subprocess.TimeoutExpired as error:
        output, complete, errors = error.stdout or b"", False, b""
    reading = ""
    for line in output.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            break
        if "reading" in told:
            reading = told["reading"]
        else:
            yield Finding.model_validate(told)
    if not complete:
        if b"ModuleNotFoundError" in errors:
            raise ChecksMissingError(errors.decode(errors="replace").strip().splitlines()[-1])
        message = (
            f"The file cannot be checked in {seconds} seconds and {memory // limits.MIB} MiB; nobody could review it"
        )
        yield Finding(rule="too_complex", severity="error", message=message, file=reading or None)
