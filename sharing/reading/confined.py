"""Read files in a process of their own, with bounds on its memory and time, so that no input can hurt the caller."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import FileInspection
from festaf.sharing.reading.reader import may_define_dags, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS = 20.0
MEMORY = 1024 * 1024 * 1024


def read_confined(
    sources: Mapping[str, bytes],
    paths: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> tuple[FileInspection, ...]:
    """Read some files of a package, or all that may define DAGs, in a confined process.

    The process answers a line for each file, so that one that kills it costs only its own answer: the rest is read by
    another process.

    :param seconds: how long one file may take, by the clock and of processor time
    :param memory: bytes of address space of the process
    """
    chosen = sorted(p for p in sources if may_define_dags(p, sources[p])) if paths is None else list(paths)
    answers: list[FileInspection] = []
    waiting = chosen
    while waiting:
        found, failure = _run(sources, waiting, seconds, memory)
        answers.extend(found[: len(waiting)])
        waiting = waiting[len(found) :]
        if waiting:
            answers.append(FileInspection(file=waiting[0], error=failure))
            waiting = waiting[1:]
    return tuple(item for item in answers if paths is not None or item.dags or item.error or item.unresolved)


def _run(
    sources: Mapping[str, bytes], paths: list[str], seconds: float, memory: int
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
    # Isolated: the caller's environment and working folder decide nothing; only where this package lies is told.
    program = "import sys; sys.path.insert(0, sys.argv[1]); from festaf.sharing.reading.confined import serve; serve()"
    command = [sys.executable, "-I", "-c", program, str(Path(__file__).absolute().parents[3])]
    failure = "Reading the file ended the process that read it"
    try:
        done = subprocess.run(
            command,
            input=question.encode(),
            capture_output=True,
            timeout=seconds * len(paths) + 10,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            check=False,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        failure = f"Reading the file takes longer than {seconds:g} seconds"
    return _answers(output), failure


def _answers(output: bytes) -> list[FileInspection]:
    complete = output[: output.rfind(b"\n") + 1]
    return [FileInspection.model_validate_json(line) for line in complete.splitlines() if line]


def serve() -> None:
    """Answer one question from standard input: the body of the confined process."""
    import resource

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
