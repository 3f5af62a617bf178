"""The containers of one model together: one, several in a row, or several to choose from."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.local_aws.serving.worker import HEALTH_SECONDS, INVOCATION_SECONDS, Answered, Worker, WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.local_aws.serving.worker import Content


@dataclass(frozen=True)
class Container:
    """What one container needs in order to start."""

    name: str
    """Its host name; of a single one ``primary``, as AWS calls it."""
    model_data: Content
    """The content of ``model.tar.gz``, or contents by path; None when there is none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    code: bytes | None = None
    """The content of the archive that SAGEMAKER_SUBMIT_DIRECTORY names, unless that is in the model."""


class Pipeline:
    """Workers that answer as one model; it may be used from several threads.

    :param direct: a request names the container that answers; otherwise each answers what the one before answered
    """

    def __init__(self, workers: Sequence[tuple[str, Worker]], *, direct: bool = False) -> None:
        self._workers = tuple(workers)
        self._direct = direct

    @classmethod
    def spawn(cls, containers: Sequence[Container], *, direct: bool = False) -> Pipeline:
        """Start the workers without waiting for them.

        :raises WorkerError: an archive cannot be used
        """
        workers: list[tuple[str, Worker]] = []
        try:
            # What was started before one fails is in the list by then.
            workers.extend(
                (one.name, Worker.spawn(one.model_data, one.environment, code=one.code)) for one in containers
            )
        except BaseException:
            for _, worker in workers:
                worker.stop()
            raise
        return cls(workers, direct=direct)

    @classmethod
    def start(
        cls, containers: Sequence[Container], *, direct: bool = False, deadline: float = HEALTH_SECONDS
    ) -> Pipeline:
        """Start the workers and wait until all are healthy.

        :param deadline: seconds until they have to answer /ping
        :raises WorkerError: one did not
        """
        made = cls.spawn(containers, direct=direct)
        try:
            made.wait_until_healthy(deadline)
        except BaseException:
            made.stop()
            raise
        return made

    @property
    def alive(self) -> bool:
        """Say whether every process runs."""
        return all(worker.alive for _, worker in self._workers)

    def wait_until_healthy(self, deadline: float = HEALTH_SECONDS) -> None:
        """Wait until every worker answers /ping.

        :param deadline: seconds
        :raises WorkerError: one ended, was stopped, or did not answer in time; the reason names the container
        """
        until = time.monotonic() + deadline
        for name, worker in self._workers:
            try:
                worker.wait_until_healthy(max(0.0, until - time.monotonic()))
            except WorkerError as problem:
                raise WorkerError(problem.reason, container=name) from None

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = INVOCATION_SECONDS,
        target: str | None = None,
    ) -> tuple[str, Answered]:
        """Ask the model, and give its answer with the name of the container that gave it.

        The first answer that is no success ends the way through the containers.

        :param target: the container that shall answer, of those to choose from
        :param timeout: seconds for all containers
        :raises KeyError: there is no such container
        :raises WorkerGoneError: a worker ended before it answered
        :raises WorkerTimeoutError: it took too long
        """
        until = time.monotonic() + timeout
        workers = self._workers
        if self._direct:
            workers = tuple(one for one in workers if one[0] == target)
            if not workers:
                raise KeyError(target)
        for place, (name, worker) in enumerate(workers, 1):
            left = max(0.001, until - time.monotonic())
            answered = worker.invoke(body, content_type, accept, headers=headers, timeout=left)
            if answered.status >= 300 or place == len(workers):
                return name, answered
            body, content_type = answered.body, answered.content_type
        raise ValueError("a model has at least one container")

    def log(self) -> str:
        """Give the end of what the workers printed."""
        return "\n".join(worker.log() for _, worker in self._workers)

    def new_lines(self) -> dict[str, list[str]]:
        """Give the lines that the workers printed since the last call, by container."""
        return {name: lines for name, worker in self._workers if (lines := worker.new_lines())}

    def stop(self) -> None:
        """End every worker."""
        for _, worker in self._workers:
            worker.stop()
