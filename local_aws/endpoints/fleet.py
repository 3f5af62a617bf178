"""The processes behind one configuration of an endpoint."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.local_aws.serving import Pipeline, WorkerError, WorkerGoneError, WorkerTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.local_aws.serving import Answered, Container

log = logging.getLogger(__name__)

_LONGEST_REASON = 1024
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_COLD_SECONDS = 60.0
_ENDED = "The model's process ended; it is being started again."


class ModelUnavailableError(Exception):
    """The variant's processes do not answer at the moment; the text says why."""


class BusyError(Exception):
    """A serverless variant answers as many requests at once as it may."""


@dataclass(frozen=True)
class Program:
    """What a variant runs."""

    load: Callable[[], list[Container]]
    """Gives the containers with their data; may raise WorkerError."""
    direct: bool
    """A request names the container that answers."""
    health_seconds: float
    most_at_once: int | None = None
    """How many requests it may answer at once; None: any number waits its turn."""
    tell: Callable[[str, list[str]], None] = lambda container, lines: None
    """Takes the lines that a container printed."""


class Variant:
    """One variant's processes: started in the background, started again when they end, stopped once.

    It may be used from several threads.
    """

    def __init__(self, name: str, program: Program) -> None:
        self.name = name
        self._program = program
        self._changed = threading.Condition()
        self._pipeline: Pipeline | None = None
        self._spawned: Pipeline | None = None
        self._starting = False
        self._stopped = False
        self._lost = False
        self._running = 0
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0
        self.failure: str | None = None
        """Why the last start failed, in AWS's words as far as there are any; None when it did not."""

    @property
    def healthy(self) -> bool:
        """Say whether it can be asked."""
        pipeline = self._pipeline
        return pipeline is not None and pipeline.alive

    def start(self) -> None:
        """Start in the background, unless it runs, is being started, was stopped, or failed a moment ago."""
        with self._changed:
            if self._stopped or self._starting or self._pipeline is not None or time.monotonic() < self._not_before:
                return
            self._starting = True
        threading.Thread(target=self._start, name=f"start-{self.name}", daemon=True).start()

    def mend(self) -> None:
        """Start again what has ended since it was healthy."""
        pipeline = self._pipeline
        if pipeline is not None and not pipeline.alive:
            self._lose(pipeline)
        if self._lost or self.failure is not None:
            self.start()

    def invoke(
        self,
        body: bytes,
        content_type: str | None,
        accept: str | None,
        *,
        headers: Mapping[str, str],
        timeout: float,
        target: str | None = None,
    ) -> tuple[str, Answered]:
        """Ask the model, between ``enter`` and ``leave``; one that was never started is started first.

        :param timeout: seconds
        :raises KeyError: there is no such container
        :raises ModelUnavailableError: it does not run at the moment, ended, or took too long
        """
        pipeline = self._ready()
        try:
            return pipeline.invoke(body, content_type, accept, headers=headers, timeout=timeout, target=target)
        except WorkerGoneError:
            self._lose(pipeline)
            self.start()
            raise ModelUnavailableError(_ENDED) from None
        except WorkerTimeoutError:
            raise ModelUnavailableError(f"The model did not answer within {timeout:g} seconds.") from None

    def enter(self) -> None:
        """Announce a request, so that the processes stay until it has left.

        :raises BusyError: too many requests at once
        """
        with self._changed:
            most = self._program.most_at_once
            if most is not None and self._running >= most:
                raise BusyError
            self._running += 1

    def leave(self) -> None:
        """End a request that was announced."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def finish(self, patience: float) -> None:
        """Let the requests that have entered get their answers, then end the processes for good.

        :param patience: seconds
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._running, patience)
        self.stop()

    def report(self) -> None:
        """Tell what the processes printed since the last time."""
        pipeline = self._pipeline
        if pipeline is not None:
            self._tell(pipeline)

    def stop(self, *, quietly: bool = False) -> None:
        """End the processes for good.

        :param quietly: without telling what they printed last
        """
        if not quietly:
            self.report()
        with self._changed:
            self._stopped = True
            pipeline, self._pipeline = self._pipeline or self._spawned, None
            self._changed.notify_all()
        if pipeline is not None:
            pipeline.stop()

    def _ready(self) -> Pipeline:
        pipeline = self._pipeline
        if pipeline is not None:
            return pipeline
        if self._lost:
            raise ModelUnavailableError(_ENDED)
        if self.failure is None:
            self.start()
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or not self._starting, _COLD_SECONDS)
                if self._pipeline is not None:
                    return self._pipeline
        raise ModelUnavailableError(self.failure or "The model is not running.")

    def _lose(self, pipeline: Pipeline) -> None:
        """Give up processes that have ended, unless another thread already did."""
        with self._changed:
            if self._pipeline is not pipeline:
                return
            self._pipeline, self._lost = None, True
        log.warning("A process of the variant %s ended: %s", self.name, pipeline.log()[-2000:])
        self._tell(pipeline)
        pipeline.stop()

    def _tell(self, pipeline: Pipeline) -> None:
        for container, lines in pipeline.new_lines().items():
            self._program.tell(container, lines)

    def _start(self) -> None:
        failure, made = None, None
        try:
            made = self._attempt()
        except WorkerError as problem:
            failure = problem.reason[:_LONGEST_REASON]
        except Exception as problem:
            # Whoever waits for the end of the start would wait for ever.
            log.exception("The variant %s could not be started", self.name)
            failure = f"The local AWS failed to start it: {problem}"[:_LONGEST_REASON]
        with self._changed:
            self._starting, self._spawned = False, None
            self.failure = failure
            if failure is not None:
                self._not_before = time.monotonic() + self._pause
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            elif not self._stopped:
                self._pipeline, made, self._lost = made, None, False
                self._pause = _FIRST_PAUSE
            self._changed.notify_all()
        if made is not None:
            made.stop()

    def _attempt(self) -> Pipeline:
        pipeline = Pipeline.spawn(self._program.load(), direct=self._program.direct)
        try:
            with self._changed:
                self._spawned, stopped = pipeline, self._stopped
            if not stopped:
                pipeline.wait_until_healthy(self._program.health_seconds)
        except WorkerError as problem:
            log.info("The variant %s did not start: %s", self.name, pipeline.log()[-2000:])
            if not self._stopped:
                self._tell(pipeline)
            pipeline.stop()
            raise WorkerError(
                f"The {problem.container} container for production variant {self.name} did not pass the ping health "
                f"check. Please check CloudWatch logs for this endpoint. {problem.reason}"
            ) from None
        except BaseException:
            pipeline.stop()
            raise
        return pipeline


class Fleet:
    """The variants of one configuration."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self.variants = {name: Variant(name, program) for name, program in programs.items()}

    def start(self) -> None:
        """Start every variant that does not run."""
        for variant in self.variants.values():
            variant.start()

    @property
    def healthy(self) -> bool:
        """Say whether every variant can be asked."""
        return all(variant.healthy for variant in self.variants.values())

    @property
    def failure(self) -> str | None:
        """Say why a variant did not start; None when none failed."""
        return next((variant.failure for variant in self.variants.values() if variant.failure), None)

    def mend(self) -> None:
        """Start again what has ended."""
        for variant in self.variants.values():
            variant.mend()

    def report(self) -> None:
        """Tell what the processes printed since the last time."""
        for variant in self.variants.values():
            variant.report()

    def finish(self, patience: float) -> None:
        """Let the requests that have entered get their answers, then end every process.

        :param patience: seconds for each variant
        """
        for variant in self.variants.values():
            variant.finish(patience)

    def stop(self) -> None:
        """End every process at once, without telling what it printed last."""
        for variant in self.variants.values():
            variant.stop(quietly=True)


def choose(weights: Mapping[str, float], place: float) -> str:
    """Give the name on which a place from 0 to below 1 falls, when each has its weight's share.

    When no name has any weight, all have the same.
    """
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1.0)
    left = place * sum(weights.values())
    chosen = ""
    for name, weight in weights.items():
        if not weight:
            continue
        chosen = name
        left -= weight
        if left < 0:
            break
    return chosen
