"""The worker process: load the model, then answer until the server goes."""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import threading
from pathlib import Path

from festaf.local_aws.serving.container.http import serve
from festaf.local_aws.serving.container.model import load_model

_MEMORY = 16 * 1024**3
_FILE = 4 * 1024**3


def main() -> None:
    """Serve the model in a directory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--code", action="store_true", help="the code is beside the model, not in it")
    given = parser.parse_args()
    directory: Path = given.directory
    alone = threading.Event()
    watch = threading.Thread(target=_end_with_the_server, args=(directory, alone), daemon=True)
    watch.start()
    _limit()
    try:
        model = load_model(directory / "model", directory / "code" if given.code else None)
        serve(directory / "socket", model)
    finally:
        if alone.is_set():
            # The files go away under the model's feet; it must not end before they are all gone.
            watch.join()


def _end_with_the_server(directory: Path, alone: threading.Event) -> None:
    """Wait for the end of standard input, which comes however the server ends; then end with all that was started."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    alone.set()
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _limit() -> None:
    """Bound what a runaway model can take from the machine: memory, the size of a file, dumps of core."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _FILE}
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = _MEMORY
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (bound, bound))


if __name__ == "__main__":
    main()
