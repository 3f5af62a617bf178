"""The process that stands for one container: started, asked and ended from here."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from festaf.local_aws.serving.archive import ArchiveError, unpack, write

HEALTH_SECONDS = 480.0
"""How long a container may take until it answers /ping, as AWS gives it by default."""
INVOCATION_SECONDS = 60.0
"""How long a model may take for one answer."""

Content = bytes | Mapping[str, bytes] | None

_POLL_SECONDS = 0.02
_PING_SECONDS = 2.0
_LONGEST_SOCKET = 90
_TAIL = 20_000
_MOST_TOLD = 1_000_000
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class WorkerError(Exception):
    """A worker did not become healthy; ``reason`` says why in one or two sentences.

    :param container: its name, when it is one of several
    """

    def __init__(self, reason: str, container: str = "primary") -> None:
        super().__init__(reason, container)
        self.reason = reason
        self.container = container

    def __str__(self) -> str:
        return self.reason


class WorkerGoneError(Exception):
    """The worker ended, or cut the connection, while it was asked."""


class WorkerTimeoutError(Exception):
    """The worker did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a container answered to POST /invocations."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


class Worker:
    """One process that loads a model and answers by the container contract over a Unix socket.

    It runs the server's own Python without the server's environment, in a session of its own, and ends with the server
    however that ends. It may be used from several threads; the process answers one invocation at a time.
    """

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self._process = process
        self._directory = directory
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._stopped = False
        self._told = 0
        self._telling = threading.Lock()

    @classmethod
    def start(
        cls,
        model_data: Content,
        environment: Mapping[str, str],
        *,
        code: bytes | None = None,
        deadline: float = HEALTH_SECONDS,
    ) -> Worker:
        """Start a worker and wait until it is healthy.

        :param model_data: the content of ``model.tar.gz``, or contents by path; None when the container has none
        :param environment: the container's ``Environment``
        :param code: the content of the archive that SAGEMAKER_SUBMIT_DIRECTORY names, unless that is in the model
        :param deadline: seconds until it has to answer /ping
        :raises WorkerError: it did not
        """
        worker = cls.spawn(model_data, environment, code=code)
        try:
            worker.wait_until_healthy(deadline)
        except BaseException:
            worker.stop()
            raise
        return worker

    @classmethod
    def spawn(cls, model_data: Content, environment: Mapping[str, str], *, code: bytes | None = None) -> Worker:
        """Start a worker without waiting for it.

        :raises WorkerError: an archive cannot be used
        """
        directory = _new_directory()
        try:
            for name, content in (("model", model_data), ("code", code)):
                place = directory / name
                place.mkdir()
                if content is not None:
                    _unpack(content, place, name)
            (directory / "tmp").mkdir()
            return cls(_spawn(directory, environment, has_code=code is not None), directory)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    @property
    def process_id(self) -> int:
        """Give the id of the process, which is that of its group too."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether the process runs."""
        return not self._stopped and self._process.poll() is None

    def wait_until_healthy(self, deadline: float = HEALTH_SECONDS) -> None:
        """Wait until the worker answers /ping.

        :param deadline: seconds
        :raises WorkerError: it ended, was stopped, or did not answer in time
        """
        until = time.monotonic() + deadline
        while not self.ping():
            if self._stopped:
                raise WorkerError("It was stopped before it was healthy.")
            if self._process.poll() is not None:
                raise WorkerError(self.last_words() or f"It ended with exit code {self._process.returncode}.")
            if time.monotonic() >= until:
                raise WorkerError(f"It did not answer within {deadline:g} seconds.")
            time.sleep(_POLL_SECONDS)

    def ping(self) -> bool:
        """Say whether the worker answers GET /ping with 200."""
        try:
            return self._ask("GET", "/ping", b"", {}, _PING_SECONDS).status == 200
        except (WorkerGoneError, WorkerTimeoutError):
            return False

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = INVOCATION_SECONDS,
    ) -> Answered:
        """Ask the model; an answer of any status is an answer.

        :param headers: more headers for the container, such as the custom attributes
        :param timeout: seconds
        :raises WorkerGoneError: the worker ended before it answered
        :raises WorkerTimeoutError: it took too long; it may still be busy
        """
        sent = dict(headers or {})
        if content_type:
            sent["Content-Type"] = content_type
        if accept:
            sent["Accept"] = accept
        return self._ask("POST", "/invocations", body, sent, timeout)

    def log(self) -> str:
        """Give the end of what the worker printed."""
        try:
            with (self._directory / "log").open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def new_lines(self) -> list[str]:
        """Give the whole lines that the worker printed since the last call."""
        with self._telling:
            try:
                with (self._directory / "log").open("rb") as file:
                    file.seek(self._told)
                    whole, end, _ = file.read(_MOST_TOLD).rpartition(b"\n")
            except OSError:
                return []
            self._told += len(whole) + len(end)
        return whole.decode(errors="replace").splitlines()

    def last_words(self) -> str:
        """Give the last line that the worker printed: of a traceback, the error."""
        lines = [line.strip() for line in self.log().splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """End the process and what it started, and forget its files; a second call does nothing."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answered:
        connection = self._take()
        try:
            connection.wait(timeout)
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            connection.close()
            raise WorkerTimeoutError(f"no answer within {timeout:g} seconds") from None
        except (OSError, http.client.HTTPException) as problem:
            connection.close()
            raise WorkerGoneError(str(problem) or type(problem).__name__) from None
        found = {name.lower(): value for name, value in answer.getheaders()}
        self._give_back(connection)
        return Answered(answer.status, found.get("content-type", ""), content, found)

    def _take(self) -> _Connection:
        with self._lock:
            return self._idle.pop() if self._idle else _Connection(str(self._directory / "socket"))

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            if not self._stopped:
                self._idle.append(connection)
                return
        connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket; it stays open between requests."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except BaseException:
            self.close()
            raise

    def wait(self, timeout: float) -> None:
        """Let the next request take this many seconds."""
        self.timeout = timeout
        if self.sock is not None:
            self.sock.settimeout(timeout)


def _new_directory() -> Path:
    """Make a directory whose name leaves room for a socket's, which the system bounds."""
    short = len(tempfile.gettempdir()) < _LONGEST_SOCKET - len("/festaf-serving-12345678/socket")
    return Path(tempfile.mkdtemp(prefix="festaf-serving-", dir=None if short else "/tmp"))


def _unpack(content: bytes | Mapping[str, bytes], place: Path, name: str) -> None:
    try:
        if isinstance(content, bytes):
            unpack(content, place)
        else:
            write(content, place)
    except ArchiveError as problem:
        raise WorkerError(f"The archive of the {name} is refused: {problem}.") from None


def _spawn(directory: Path, environment: Mapping[str, str], *, has_code: bool) -> subprocess.Popen[bytes]:
    given = dict(environment)
    paths = [path for path in (os.environ.get("PYTHONPATH"), given.pop("PYTHONPATH", None)) if path]
    variables = {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(directory),
        "SM_MODEL_DIR": str(directory / "model"),
        "TMPDIR": str(directory / "tmp"),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
        **given,
    }
    command = [sys.executable, "-P", "-m", "festaf.local_aws.serving.container", str(directory)]
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--code"] if has_code else command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory / "model",
            env=variables,
            start_new_session=True,
        )
