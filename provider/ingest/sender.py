"""Send batches of entries to the feature store: retries, refusals, and a way around BatchWriteRecord.

The bodies are JSON already. They reach botocore through its own event hooks, which leaves signing, credentials,
endpoints and answers to it and takes the walk through every value away.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from festaf import __version__
from festaf.provider.errors import ABSENT, DENIED, RETRYABLE, THROTTLED, UNKNOWN_OPERATION, FestafError, ServiceError
from festaf.provider.hooks.aws_error import code_of, in_our_words, is_retryable, message_of
from festaf.provider.ingest.pace import Pace, delay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.feature_store import FeatureStoreHook

RUNTIME = "sagemaker-featurestore-runtime"
BATCH_ROWS = 25
ABSENT_SECONDS = 60.0
"""How long a feature set that was described may seem absent to the runtime service."""


class StoppedError(Exception):
    """Another sender failed; this one gives up."""


@dataclass(frozen=True)
class Answer:
    """What became of a batch."""

    refused: dict[int, str] = field(default_factory=dict)
    """By position in the batch: why AWS will never take the entry."""
    attempts: int = 1


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What one attempt came to."""

    again: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    progress: bool = False
    error: ClientError | BotoCoreError | None = None
    absent: bool = False
    divide: bool = False


_NOTHING_LEFT = _Outcome(progress=True)


class Sender:
    """Sends batches, from several threads at once.

    :param head: what every entry begins with; PutRecord does not want it
    :param retry_seconds: how long one batch is tried again
    """

    def __init__(
        self,
        hook: FeatureStoreHook,
        feature_set: str,
        head: str,
        log: Logger,
        *,
        threads: int,
        retry_seconds: float,
    ) -> None:
        self._hook = hook
        self._name = feature_set
        self._head = head.encode()
        self._log = log
        self._retry_seconds = retry_seconds
        self._client = hook.client(
            RUNTIME,
            parameter_validation=False,
            max_pool_connections=threads,
            user_agent=f"festaf/{__version__}",
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        self._pace = Pace()
        self._one_by_one = "BatchWriteRecord" not in self._client.meta.service_model.operation_names
        self.stop = threading.Event()
        for operation in ("BatchWriteRecord", "PutRecord"):
            events = self._client.meta.events
            events.register(f"before-parameter-build.{RUNTIME}.{operation}", _keep_body)
            events.register(f"before-call.{RUNTIME}.{operation}", _put_body)

    def send(self, entries: Sequence[bytes]) -> Answer:
        """Send entries until each is taken or refused for good.

        :raises ServiceError: AWS throttled or failed until the deadline
        :raises FinalError: AWS refuses the whole feature set or these credentials
        """
        groups = [list(range(len(entries)))]
        refused: dict[int, str] = {}
        started = time.monotonic()
        attempt = calls = 0
        while groups:
            waiting = groups.pop()
            outcome = self._attempt(entries, waiting)
            refused |= outcome.refused
            attempt, calls = 0 if outcome.progress else attempt + 1, calls + 1
            if outcome.divide:
                groups += [waiting[len(waiting) // 2 :], waiting[: len(waiting) // 2]]
            elif outcome.again:
                groups.append(outcome.again)
                if not outcome.progress:
                    self._wait(attempt, time.monotonic() - started, outcome)
        return Answer(refused, calls)

    def _wait(self, attempt: int, spent: float, outcome: _Outcome) -> None:
        """Wait before the same entries are sent again."""
        seconds = delay(attempt)
        limit = min(self._retry_seconds, ABSENT_SECONDS) if outcome.absent else self._retry_seconds
        if spent + seconds > limit:
            if outcome.error is None:
                raise ServiceError(
                    f"AWS left entries for {self._name} unprocessed for {spent:.0f} s", operation=self._operation
                )
            raise self._in_our_words(outcome.error) from outcome.error
        if attempt == 3:
            why = self._in_our_words(outcome.error) if outcome.error else "entries stay unprocessed"
            self._log.warning("AWS does not take a batch for %s yet, trying again: %s", self._name, why)
        if self.stop.wait(seconds):
            raise StoppedError

    def _in_our_words(self, error: ClientError | BotoCoreError) -> FestafError:
        return in_our_words(error, operation=self._operation, connection=self._hook.aws_conn_id)

    @property
    def _operation(self) -> str:
        return "PutRecord" if self._one_by_one else "BatchWriteRecord"

    def _attempt(self, entries: Sequence[bytes], waiting: list[int]) -> _Outcome:
        """Try the waiting entries once."""
        if self.stop.wait(self._pace.turn()):
            raise StoppedError
        if self._one_by_one:
            return self._put(entries, waiting)
        try:
            body = b'{"Entries":[' + b",".join([entries[place] for place in waiting]) + b"]}"
            answer = self._client.batch_write_record(Body=body)
        except ClientError as error:
            if code_of(error) in DENIED | UNKNOWN_OPERATION | {"404"}:
                self._give_up_batches(error)
                return _Outcome(again=waiting, progress=True)
            return self._refusal(error, waiting)
        except BotoCoreError as error:
            return self._refusal(error, waiting)
        if not answer.get("Errors") and not answer.get("UnprocessedEntries"):
            return _NOTHING_LEFT
        return self._partial(answer, entries, waiting)

    def _give_up_batches(self, error: ClientError) -> None:
        if not self._one_by_one:
            self._log.warning("BatchWriteRecord is not to be had (%s); sending rows one by one", message_of(error))
        self._one_by_one = True

    def _put(self, entries: Sequence[bytes], waiting: list[int]) -> _Outcome:
        """Send entries one by one; stop at the first that must wait."""
        refused: dict[int, str] = {}
        for done, place in enumerate(waiting):
            try:
                self._client.put_record(
                    FeatureGroupName=self._name, Body=b"{" + entries[place][len(self._head) :], Record=[]
                )
            except (ClientError, BotoCoreError) as error:
                outcome = self._refusal(error, [place])
                refused |= outcome.refused
                if outcome.again:
                    return replace(outcome, again=waiting[done:], refused=refused, progress=done > 0)
        return _Outcome(refused=refused, progress=True)

    def _refusal(self, error: ClientError | BotoCoreError, waiting: list[int]) -> _Outcome:
        """Decide what a refused call means for its entries."""
        code = code_of(error)
        if code in THROTTLED:
            self._pace.throttled()
        if is_retryable(error):
            return _Outcome(again=waiting, error=error)
        if isinstance(error, ClientError) and (code in ABSENT or _cannot_find(error)):
            return _Outcome(again=waiting, error=error, absent=True)
        if not isinstance(error, ClientError) or code in DENIED | UNKNOWN_OPERATION:
            raise self._in_our_words(error) from error
        if len(waiting) > 1:
            return _Outcome(divide=True, progress=True)
        return _Outcome(refused={waiting[0]: f"AWS: {code}: {message_of(error)}"}, progress=True)

    def _partial(self, answer: dict[str, Any], entries: Sequence[bytes], waiting: list[int]) -> _Outcome:
        """Read which entries AWS did not take."""
        places = _Places(entries, waiting)
        refused: dict[int, str] = {}
        again = [places.take(entry) for entry in answer.get("UnprocessedEntries") or ()]
        if again:
            self._pace.throttled()
        error: ClientError | None = None
        for item in answer.get("Errors") or ():
            place, code = places.take(item["Entry"]), item["ErrorCode"]
            if code in RETRYABLE | ABSENT:
                again.append(place)
                error = ClientError({"Error": {"Code": code, "Message": item["ErrorMessage"]}}, "BatchWriteRecord")
            else:
                refused[place] = f"AWS: {code}: {item['ErrorMessage']}"
        return _Outcome(
            again=sorted(again),
            refused=refused,
            progress=len(again) < len(waiting),
            error=error,
            absent=error is not None and code_of(error) in ABSENT,
        )


class _Places:
    """Finds the place in a batch of an entry that an answer quotes."""

    def __init__(self, entries: Sequence[bytes], waiting: list[int]) -> None:
        self._left = [(place, _content(json.loads(entries[place])["Record"])) for place in waiting]

    def take(self, entry: Mapping[str, Any]) -> int:
        """Give the place of the entry; each place is given once.

        :raises ServiceError: the batch has no such entry
        """
        content = _content(entry["Record"])
        for found in self._left:
            if found[1] == content:
                self._left.remove(found)
                return found[0]
        raise ServiceError("AWS's answer quotes an entry that was not sent", operation="BatchWriteRecord")


def _content(record: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, Any]]:
    return frozenset(
        (item["FeatureName"], item.get("ValueAsString") or tuple(item.get("ValueAsStringList") or ()))
        for item in record
    )


def _cannot_find(error: ClientError) -> bool:
    """Tell whether AWS means that it does not see the feature set, as it does now and then for one that stands."""
    said = message_of(error).lower()
    return "featuregroup" in said.replace(" ", "") and any(
        text in said for text in ("not found", "find", "does not exist")
    )


def _keep_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["festaf_body"] = params.pop("Body")


def _put_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context["festaf_body"]
