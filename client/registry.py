"""The registry over HTTP: send events, ask where features come from."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from festaf.client.answer import check, read
from festaf.client.errors import AbsentError, PassingError, UnexpectedAnswerError, UnreachableError
from festaf.contract.feature import Feature, FeatureSummary
from festaf.contract.graph import Graph
from festaf.contract.http import API, Page
from festaf.contract.openlineage import BaseEvent, BatchAnswer, BatchSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

DEFAULT_TIMEOUT = 10.0
FIRST_PAUSE = 0.2
PAGE_SIZE = 100
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Params = dict[str, str | int | None]
_FEATURES = TypeAdapter(Page[FeatureSummary])
_FEATURE = TypeAdapter(Feature)
_GRAPH = TypeAdapter(Graph)
_BATCH_ANSWER = TypeAdapter(BatchAnswer)

Body = BaseEvent | bytes
"""An event as a model, or as the JSON text that was kept of it."""


class RegistryClient:
    """A connection to one registry; close it, or use it in a ``with``.

    A call that meets a passing fault (no connection, 429, 5xx) is repeated until ``timeout`` is over, and waits as long
    as the registry asks for in Retry-After. Every call may be repeated safely: events are told apart by content.

    :param url: the registry's address, such as ``http://127.0.0.1:8750``
    :param token: a bearer token; None where the registry asks for none
    :param timeout: how long one call may take in all, in seconds
    :param retry: whether to repeat a call that met a passing fault
    :raises ValueError: the address is none
    """

    def __init__(
        self, url: str, token: str | None = None, timeout: float = DEFAULT_TIMEOUT, *, retry: bool = True
    ) -> None:
        self.url = url.rstrip("/").removesuffix(API)
        self.timeout = timeout
        self._retry = retry
        host = _host(self.url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            headers={"User-Agent": "festaf", **headers},
            # A proxy elsewhere cannot reach this machine's own addresses.
            trust_env=host not in LOOPBACK,
            # Without TLS there is nothing to verify, and loading the certificates costs a task 20 ms.
            verify=self.url.startswith("https:"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connection."""
        self._http.close()

    def send(self, event: Body) -> None:
        """Hand over one event (``POST /lineage``).

        :raises InvalidError: the registry will never accept it
        :raises RegistryError: see the tree in errors.py
        """
        self._post(f"{API}/lineage", _text(event))

    def send_batch(self, events: Sequence[Body]) -> BatchAnswer:
        """Hand over several events at once (``POST /lineage/batch``, compressed); the answer names those not taken.

        :raises RegistryError: the batch as a whole was not taken
        """
        response = self._post(f"{API}/lineage/batch", b"[" + b",".join(_text(event) for event in events) + b"]")
        if response.status_code == httpx.codes.NO_CONTENT:
            count = len(events)
            summary = BatchSummary(received=count, successful=count, failed=0, retriable=0, non_retriable=0)
            return BatchAnswer(status="success", summary=summary)
        return read(response, _BATCH_ANSWER)

    def features(
        self,
        *,
        query: str | None = None,
        project: str | None = None,
        feature_set: str | None = None,
        as_of: datetime | None = None,
    ) -> Iterator[FeatureSummary]:
        """List features, page by page, in the registry's order.

        :param query: words to look for
        :param as_of: list what stood at this time
        """
        asked: Params = {
            "q": query,
            "project": project,
            "feature_set": feature_set,
            "asOf": _time(as_of),
            "limit": PAGE_SIZE,
        }
        cursor: str | None = None
        while True:
            page = read(self._get(f"{API}/features", asked | {"cursor": cursor}), _FEATURES)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def feature(self, project: str, feature_set: str, name: str, *, as_of: datetime | None = None) -> Feature | None:
        """Ask where a feature comes from; None when the registry does not know it."""
        try:
            response = self._get(_feature_path(project, feature_set, name), {"asOf": _time(as_of)})
        except AbsentError:
            return None
        return read(response, _FEATURE)

    def lineage(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        depth: int | None = None,
        as_of: datetime | None = None,
    ) -> Graph:
        """Draw what stands up and down the stream of a feature, at most ``depth`` steps away.

        :raises AbsentError: the registry does not know the feature
        """
        path = f"{_feature_path(project, feature_set, name)}/lineage"
        return read(self._get(path, {"depth": depth, "asOf": _time(as_of)}), _GRAPH)

    def ready(self) -> bool:
        """Tell whether the registry answers and can reach its database."""
        try:
            return self._once(self._http.build_request("GET", f"{self.url}/ready"), self.timeout).is_success
        except UnreachableError:
            return False

    def _get(self, path: str, params: Params) -> httpx.Response:
        asked = {key: value for key, value in params.items() if value is not None}
        return self._call(self._http.build_request("GET", self.url + path, params=asked))

    def _post(self, path: str, text: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        content = gzip.compress(text, compresslevel=1, mtime=0)
        return self._call(self._http.build_request("POST", self.url + path, content=content, headers=headers))

    def _call(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self.timeout
        pause = FIRST_PAUSE
        while True:
            try:
                return check(self._once(request, max(deadline - time.monotonic(), 0.01)))
            except PassingError as error:
                pause = max(pause, error.retry_after or 0.0)
                if not self._retry or time.monotonic() + pause >= deadline:
                    raise
            time.sleep(pause)
            pause *= 2

    def _once(self, request: httpx.Request, timeout: float) -> httpx.Response:
        request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
        try:
            return self._http.send(request)
        except httpx.TimeoutException as error:
            raise UnreachableError(f"The registry at {self.url} did not answer within {timeout:.3g} seconds") from error
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"The registry at {self.url} cannot be reached: {reason}") from error
        except httpx.RequestError as error:
            raise UnexpectedAnswerError(f"The answer of {self.url} cannot be read: {error}") from error


def _text(event: Body) -> bytes:
    if isinstance(event, bytes):
        return event
    return event.model_dump_json(by_alias=True, exclude_none=True).encode()


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _feature_path(project: str, feature_set: str, name: str) -> str:
    return "/".join((f"{API}/features", *(quote(part, safe="") for part in (project, feature_set, name))))


def _host(url: str) -> str:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in {"http", "https"} or not address.host:
        raise ValueError(f"{url!r} is no address of a registry: write it as in 'http://127.0.0.1:8750'")
    return address.host
