"""Check the files of a package in a process of its own, which cannot take the caller's memory or time with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from festaf.contract.dag_package import Finding
from festaf.sharing import canonical_zip, limits
from festaf.sharing.confinement import CONFINEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.contract.dag_package import Manifest

MEMORY: Final = 1024 * limits.MIB
SECONDS: Final = 60
MOST: Final = 1_000
"""Findings; who has more does not read them."""


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
    question = f"{memory} {seconds}\n".encode() + canonical_zip.write(sorted(files.items()))
    answer = CONFINEMENT.ask(b"c", question, seconds=3 * seconds)
    reading = ""
    for line in answer.lines:
        told = json.loads(line)
        if "reading" in told:
            reading = told["reading"]
        else:
            yield Finding.model_validate(told)
    if answer.missing is not None:
        raise ChecksMissingError(answer.missing)
    if answer.ended != "done":
        message = (
            f"The file cannot be checked in {seconds} seconds and {memory // limits.MIB} MiB; nobody could review it"
        )
        yield Finding(rule="too_complex", severity="error", message=message, file=reading or None)
