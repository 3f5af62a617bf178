"""Read files in a process of their own, with bounds on its memory and time, so that no input can hurt the caller."""

from __future__ import annotations

import base64
import json
import resource
import sys
import time
from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import FileInspection
from festaf.sharing.confinement import CONFINEMENT
from festaf.sharing.reading.reader import may_define_dags, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS = 20.0
TOGETHER = 600.0
MEMORY = 1024 * 1024 * 1024
EXAMPLE = b"""
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import dag, task

@dag(schedule="@daily")
def example():
    @task.bash
    def said():
        return "echo"

    AthenaOperator(task_id="query", query="select 1", database="d", output_location="s3://b") >> said()

example()
"""


def read_confined(
    sources: Mapping[str, bytes],
    paths: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
    together: float = TOGETHER,
    memory: int = MEMORY,
) -> tuple[FileInspection, ...]:
    """Read some files of a package, or all that may define DAGs, in a confined process.

    The process answers a line for each file, so that one that kills it costs only its own answer: the rest is read by
    another process.

    :param seconds: how long one file may take, by the clock and of processor time
    :param together: seconds by the clock that all of them may take; those that are left then are not read
    :param memory: bytes of address space of the process
    """
    end = time.monotonic() + together
    chosen = sorted(p for p in sources if may_define_dags(p, sources[p])) if paths is None else list(paths)
    answers: list[FileInspection] = []
    waiting = chosen
    while waiting:
        left = end - time.monotonic()
        if left <= 0:
            failure = f"The files together take longer than {together:g} seconds to read"
            answers += [FileInspection(file=path, error=failure) for path in waiting]
            break
        found, failure = _run(sources, waiting, seconds, memory, left)
        answers.extend(found[: len(waiting)])
        waiting = waiting[len(found) :]
        if waiting:
            answers.append(FileInspection(file=waiting[0], error=failure))
            waiting = waiting[1:]
    return tuple(item for item in answers if paths is not None or item.dags or item.error or item.unresolved)


def _run(
    sources: Mapping[str, bytes], paths: list[str], seconds: float, memory: int, left: float
) -> tuple[list[FileInspection], str]:
    """Start the process once; give what it answered, and why it answered no more."""
    question = json.dumps(
        {
            "sources": {path: base64.b64encode(content).decode("ascii") for path, content in sources.items()},
            "paths": paths,
            "seconds": seconds,
            "memory": memory,
        }
    )
    answer = CONFINEMENT.ask(b"r", question.encode(), seconds=min(seconds * len(paths) + 10, left))
    if answer.ended == "late":
        failure = f"Reading the file takes longer than {seconds:g} seconds"
    else:
        failure = "Reading the file ended the process that read it"
    return [FileInspection.model_validate_json(line) for line in answer.lines], failure


def prepare() -> None:
    """Read the tables that every file needs, by reading a file of our own that needs them."""
    read_file({"dag.py": EXAMPLE}, "dag.py")


def serve() -> None:
    """Answer one question from standard input: the body of the confined process."""
    question = json.loads(sys.stdin.buffer.read())
    sources = {path: base64.b64decode(content) for path, content in question["sources"].items()}
    resource.setrlimit(resource.RLIMIT_AS, (question["memory"], question["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    for path in question["paths"]:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(spent.ru_utime + spent.ru_stime + question["seconds"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        answer = read_file(sources, path)
        sys.stdout.write(answer.model_dump_json() + "\n")
        sys.stdout.flush()
