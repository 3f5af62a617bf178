"""Runs executions, one after another in each of a few threads."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from festaf.local_aws.athena.engine import CancelledError
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.place import located
from festaf.local_aws.athena.results import Results
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.athena.answering import Answerer
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud

log = logging.getLogger(__name__)

WORKERS = 2
KEPT_RESULTS = 16
"""How many results stay in memory; the others are read from their files again."""


class Runner:
    """Brings executions to a final state, and gives their results."""

    def __init__(self, cloud: Cloud, clock: Clock, answerer: Answerer, ended: Callable[[Execution], None]) -> None:
        self._cloud = cloud
        self._clock = clock
        self._answerer = answerer
        self._ended = ended
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Results] = OrderedDict()

    def submit(self, execution: Execution) -> None:
        """Run an execution as soon as a thread is free."""
        self._pool.submit(self._run, execution)

    def results(self, execution: Execution) -> Results:
        """Give the results of a succeeded execution, as they are in its file when they are not in memory.

        :raises ObjectStoreError: the file is not there any more
        """
        with self._lock:
            kept = self._results.get(execution.identity)
        if kept is None:
            bucket, key = split_uri(execution.output)
            objects = Objects(self._cloud, execution.region)
            kept = Results.of_file(lambda: objects.get(bucket, key), objects.get(bucket, f"{key}.metadata"))
            self._keep(execution, kept)
        return kept

    def forget(self) -> None:
        """Drop the results in memory."""
        with self._lock:
            self._results.clear()

    def close(self) -> None:
        """End the threads; what waits is not run."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, execution: Execution) -> None:
        if not execution.begin(self._clock.now()):
            return
        self._carry_out(execution)
        try:
            self._ended(execution)
        except Exception:  # The border of the thread: what passes it is told to nobody.
            log.exception("What has become of Athena query %s could not be kept", execution.identity)

    def _carry_out(self, execution: Execution) -> None:
        try:
            results = self._answerer.answer(execution)
            self._store(execution, results)
            execution.end("SUCCEEDED", self._clock.now())
        except CancelledError as error:
            execution.end("CANCELLED", self._clock.now(), str(error) or "Query was cancelled by the user")
        except QueryError as error:
            self._fail(execution, located(error, execution.statement.read_from).reason, category=2)
        except ObjectStoreError as error:
            self._fail(execution, f"HIVE_WRITER_OPEN_ERROR: {error}", category=2)
        except Exception as error:  # The state must become final, or its waiters would wait forever.
            log.exception("Athena query %s failed by a defect of the local Athena", execution.identity)
            self._fail(execution, f"GENERIC_INTERNAL_ERROR: {error}", category=1)

    def _store(self, execution: Execution, results: Results) -> None:
        bucket, key = split_uri(execution.output)
        objects = Objects(self._cloud, execution.region)
        if results.update_count is None:
            content = results.file()
            execution.rows_given, execution.bytes_given = results.rows.num_rows, len(content)
            objects.put(bucket, key, content, "application/octet-stream")
        objects.put(bucket, f"{key}.metadata", results.metadata(), "application/octet-stream")
        self._keep(execution, results)

    def _keep(self, execution: Execution, results: Results) -> None:
        with self._lock:
            self._results[execution.identity] = results
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)

    def _fail(self, execution: Execution, reason: str, category: int) -> None:
        error = {
            "ErrorCategory": category,
            "ErrorType": 1006 if category == 2 else 200,
            "Retryable": False,
            "ErrorMessage": reason,
        }
        execution.end("FAILED", self._clock.now(), reason, error)
