"""One job as it runs: a thread that takes it from its start to its end, and what it may use on the way."""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from festaf.local_aws.jobs.crew import Crew
from festaf.local_aws.jobs.failure import AbandonedError, JobFailedError, JobInterruptedError, JobStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.jobs.course import Course
    from festaf.local_aws.jobs.logs import LogStream
    from festaf.local_aws.jobs.script import Order

log = logging.getLogger(__name__)

POLL_SECONDS = 0.02
"""How often a running job looks at its script, the clock and what was asked of it, in real time."""
GRACE_SECONDS = 120.0
"""How long a script may take to end after SIGTERM, by the server's clock, as on AWS."""
KEPT_LINES = 40
"""How many of the last lines are kept for the failure's reason."""
INTERNAL = "InternalServerError: We encountered an internal error. Please try again."


class Work(Protocol):
    """What a kind of job does; every step may raise JobFailedError and JobStoppedError."""

    start_seconds: float
    """Until the work begins, of the server's clock."""
    end_seconds: float
    """From the end of the work until the job is Completed."""

    def begin(self, run: Run) -> None:
        """Take the time until the work begins."""

    def perform(self, run: Run) -> None:
        """Fetch, run the script, deliver."""

    def salvage(self, run: Run) -> None:
        """Deliver what a job that is stopped has made."""


class Run:
    """A job on its way; ``stop`` and ``abandon`` may be called from other threads.

    :param stream: gives the log of a host, by its place
    """

    def __init__(self, course: Course, work: Work, clock: Clock, stream: Callable[[int], LogStream]) -> None:
        self.course = course
        self.failed = 0
        """The place of the host whose script failed."""
        self._last: dict[int, deque[str]] = {}
        self.on_line: Callable[[str], None] = lambda line: None
        self.disturbed: Callable[[], str | None] = lambda: None
        """Gives the secondary status of a job whose machines are gone."""
        self.interrupt: Callable[[], None] = lambda: None
        """Ends what the work waits for, when the job is to stop; it may be called from other threads."""
        self._made: Path | None = None
        self._work = work
        self._clock = clock
        self._streams = functools.cache(stream)
        self._stop = threading.Event()
        self._abandon = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job-{course.job.name}", daemon=True)

    @property
    def folder(self) -> Path:
        """Give the job's own folder, which goes with the job."""
        if self._made is None:
            self._made = Path(tempfile.mkdtemp(prefix="festaf-job-"))
        return self._made

    def clear_folder(self) -> None:
        """Forget the folder; the next is empty."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
            self._made = None

    @property
    def alive(self) -> bool:
        """Say whether the thread has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Bring the job to its end early."""
        self._stop.set()
        self.interrupt()

    def abandon(self) -> None:
        """Kill the script and write nothing more."""
        self.course.abandon()
        self._abandon.set()
        self.interrupt()

    def join(self) -> None:
        """Wait until everything has ended."""
        self._thread.join()

    def wait_until(self, moment: float) -> None:
        """Wait for a time of the server's clock.

        :raises JobStoppedError: the job is to stop
        :raises AbandonedError: the server ends
        """
        while self._clock.now() < moment:
            self.check()
            self._abandon.wait(POLL_SECONDS)
        self.check()

    def pause(self) -> None:
        """Wait a moment, also when the job is to stop.

        :raises AbandonedError: the server ends
        """
        if self._abandon.wait(POLL_SECONDS):
            raise AbandonedError

    def check(self) -> None:
        """Look whether the work may go on.

        :raises JobStoppedError: the job is to stop
        :raises AbandonedError: the server ends
        """
        if self._abandon.is_set():
            raise AbandonedError
        if self._stop.is_set():
            raise JobStoppedError

    def say(self, line: str) -> None:
        """Write a line of our own to the job's log."""
        self._take([line], 0)

    def execute(self, orders: Sequence[Order], deadline: float) -> int:
        """Run scripts to their ends and give the exit code; ``failed`` and ``last_lines`` are those of one that failed.

        :param orders: one for each host
        :param deadline: when they must have ended, by the server's clock
        :raises JobStoppedError: the job was to stop, or the deadline passed
        :raises JobInterruptedError: the machines are gone
        :raises AbandonedError: the server ends
        """
        crew = Crew(orders)
        try:
            while (code := self._look(crew)) is None:
                if self._clock.now() >= deadline:
                    self.course.stopping()
                    self._end(crew)
                    raise JobStoppedError("MaxRuntimeExceeded")
                if self._stop.is_set():
                    self._end(crew)
                    raise JobStoppedError
                if secondary := self.disturbed():
                    self._end(crew)
                    raise JobInterruptedError(secondary)
            self.failed = crew.failed
            return code
        finally:
            crew.close()

    @property
    def last_lines(self) -> list[str]:
        """Give the last lines of the host that failed, or of the first."""
        return list(self._last.get(self.failed, ()))

    def _look(self, crew: Crew) -> int | None:
        if self._abandon.is_set():
            raise AbandonedError
        code = crew.wait(POLL_SECONDS)
        for host, lines in enumerate(crew.lines()):
            self._take(lines, host)
        return code

    def _end(self, crew: Crew) -> None:
        crew.ask_to_end()
        latest = self._clock.now() + GRACE_SECONDS
        while self._look(crew) is None and self._clock.now() < latest:
            pass
        crew.kill()
        self._look(crew)

    def _take(self, lines: list[str], host: int) -> None:
        last = self._last.setdefault(host, deque(maxlen=KEPT_LINES))
        for line in lines:
            last.append(line)
            self.on_line(line)
        try:
            self._streams(host).write(lines)
        except ClientError as error:
            log.warning("The log of job %s cannot be written: %s", self.course.job.name, error)

    def _run(self) -> None:
        try:
            with contextlib.suppress(AbandonedError):
                self._to_an_end()
        finally:
            self.clear_folder()

    def _to_an_end(self) -> None:
        try:
            self._through()
        except AbandonedError:
            raise
        except Exception:
            # The border of the job's thread: a mistake of ours must end the job, and be seen in the log.
            log.exception("The local AWS failed in job %s", self.course.job.name)
            self.course.end("Failed", failure=INTERNAL)

    def _through(self) -> None:
        try:
            self._work.begin(self)
            self._work.perform(self)
            self.wait_until(self.course.now() + self._work.end_seconds)
            self.course.end("Completed")
        except JobStoppedError as stopped:
            self.course.stopping()
            self._salvage()
            self.course.end("Stopped", stopped.secondary)
        except JobFailedError as failed:
            self.course.end("Failed", failure=failed.reason)

    def _salvage(self) -> None:
        try:
            self._work.salvage(self)
        except (JobFailedError, JobStoppedError) as problem:
            self.say(f"What the job made until it was stopped could not be kept: {problem}")
