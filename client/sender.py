"""Handing events over to the registry, and the connection that all its calls share."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from festaf.client.answer import check, read
from festaf.client.errors import PassingError, UnexpectedAnswerError, UnreachableError
from festaf.contract.http import API, BEARER_TOKEN, Page
from festaf.contract.openlineage import BaseEvent, BatchAnswer, BatchSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_TIMEOUT = 10.0
FIRST_PAUSE = 0.2
PAGE_SIZE = 100
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Body = BaseEvent | bytes
"""An event as a model, or as the JSON text that was kept of it."""
Params = dict[str, str | int | list[str] | None]
Item = TypeVar("Item", bound=BaseModel)


class Sender:
    """A connection to one registry that hands events over; close it, or use it in a ``with``.

    A call that meets a passing fault (no connection, 429, 5xx) is repeated until ``timeout`` is over, and waits as long
    as the registry asks for in Retry-After. Every call may be repeated safely: events are told apart by content.

    :param url: the registry's address, such as ``http://127.0.0.1:8750``
    :param token: a bearer token; None where the registry asks for none
    :param timeout: how long one call may take in all, in seconds
    :param retry: whether to repeat a call that met a passing fault
    :raises ValueError: the address or the token is none
    """

    def __init__(
        self, url: str, token: str | None = None, timeout: float = DEFAULT_TIMEOUT, *, retry: bool = True
    ) -> None:
        self.url = url.rstrip("/").removesuffix(API)
        self.timeout = timeout
        self._retry = retry
        host = _host(self.url)
        token = token.strip() if token else None
        if token and not BEARER_TOKEN.fullmatch(token):
            raise ValueError("the token for the registry is none: it has spaces, lines or other letters")
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
        return read(response, TypeAdapter(BatchAnswer))

    def answers(self, path: str) -> bool:
        """Tell whether a path is answered with success, asking once.

        :raises UnreachableError: nobody answers
        """
        return self._once(self._http.build_request("GET", self.url + path), self.timeout).is_success

    def _get(self, path: str, params: Params) -> httpx.Response:
        asked = {key: value for key, value in params.items() if value is not None}
        return self._call(self._http.build_request("GET", self.url + path, params=asked))

    def _pages(self, path: str, params: Params, shape: TypeAdapter[Page[Item]]) -> Iterator[Item]:
        cursor: str | None = None
        while True:
            page = read(self._get(path, {**params, "limit": PAGE_SIZE, "cursor": cursor}), shape)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def _post(self, path: str, text: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        content = gzip.compress(text, compresslevel=1, mtime=0)
        return self._call(self._http.build_request("POST", self.url + path, content=content, headers=headers))

    def _put(self, path: str, body: BaseModel, headers: Mapping[str, str]) -> httpx.Response:
        content = body.model_dump_json(exclude_none=True)
        sent = {"Content-Type": "application/json", **headers}
        return self._call(self._http.build_request("PUT", self.url + path, content=content, headers=sent))

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


def _host(url: str) -> str:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in {"http", "https"} or not address.host:
        raise ValueError(f"{url!r} is no address of a registry: write it as in 'http://127.0.0.1:8750'")
    return address.host
