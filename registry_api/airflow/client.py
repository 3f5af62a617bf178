"""Ask one Airflow over HTTP: politely, within bounds, and with every fault sorted into a named error."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import httpx

from festaf.contract.http import BEARER_TOKEN
from festaf.registry_api.airflow.errors import (
    AbsentError,
    AirflowAwayError,
    AnswerTooLargeError,
    RefusedError,
    SecretError,
    SpentError,
    StoppedError,
    UnexpectedError,
)
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.login import Access, Login
from festaf.registry_api.airflow.secret import read_secret

log = logging.getLogger(__name__)
PASSING = {408, 425, 429, 500, 502, 503, 504}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Pace:
    """How hard an Airflow is asked; times in seconds."""

    page: int = 100
    """Items of one page. Airflow gives fewer when its own bound is lower."""
    pause: float = 0.02
    """Between two requests."""
    requests: int = 2_000
    """In one cycle at most; the next goes on where this ended."""
    tries: int = 4
    first_delay: float = 0.5
    longest_delay: float = 30.0
    """A ``Retry-After`` beyond it ends the cycle; the next begins no earlier than it says."""
    connect_timeout: float = 5.0
    timeout: float = 30.0
    """How long Airflow may be silent."""
    longest_answer: float = 45.0
    """How long an answer may take that comes bit by bit; a lease outlives it."""
    hangs: int = 2
    """How often one request may take too long; one to an Airflow that has answered nothing in this cycle, once."""
    max_bytes: int = 64 * MEBIBYTE


class AirflowClient:
    """Reads from one Airflow. Use it as a context manager.

    :param wait: waits this many seconds; true when the sync is to stop
    :param before: is called before each request, such as to keep a lease
    :param login: what an earlier cycle left
    """

    def __init__(
        self,
        access: Access,
        pace: Pace,
        figures: Figures,
        wait: Callable[[float], bool],
        before: Callable[[], None] = lambda: None,
        login: Login | None = None,
    ) -> None:
        self.access = access
        self.pace = pace
        self.figures = figures
        self.airflow_time: datetime | None = None
        """What Airflow's clock said last, from its answer's ``Date``."""
        self._wait = wait
        self._before = before
        self._asked = 0
        self._answered = False
        self._login = login or Login()
        self._token = self._login.token(access)
        self._taken = False
        """True once Airflow took the token in this cycle, or gave it."""
        timeout = httpx.Timeout(pace.timeout, connect=pace.connect_timeout)
        self._http = httpx.Client(base_url=access.base_url.rstrip("/"), timeout=timeout, follow_redirects=False)

    def __enter__(self) -> AirflowClient:
        """Connect when it is first asked."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def now(self) -> datetime:
        """Give Airflow's time, ours before it answered."""
        return self.airflow_time or datetime.now(UTC)

    def get(self, path: str, **query: Any) -> Any:
        """Ask for JSON.

        :raises AirflowError: as its subclasses say
        """
        url = f"/api/v2{path}"
        asked = {name: value for name, value in query.items() if value is not None}
        if self._token is None:
            self._log_in()
        answer = self._try("GET", url, params=asked)
        if self._is_stale(answer):
            # The token has expired; one that is fresh and refused is a wrong one.
            self._log_in()
            answer = self._try("GET", url, params=asked)
        self._taken = self._taken or answer.status < 300
        return self._content(answer, url)

    def _is_stale(self, answer: _Answer) -> bool:
        """Tell whether a new token may help; to one of before its keys changed, Airflow answers as to who may not."""
        forbidden = answer.status == httpx.codes.FORBIDDEN
        return answer.status == httpx.codes.UNAUTHORIZED or (forbidden and not self._taken)

    def _log_in(self) -> None:
        """Get a token: the one that is referred to, or the user's, or anybody's from an Airflow that asks for none."""
        self._taken = True
        secret = read_secret(self.access.secret) if self.access.secret else None
        if secret and self.access.username is None:
            if not BEARER_TOKEN.fullmatch(secret):
                raise SecretError(
                    f"the secret {self.access.secret} holds no token: it has spaces, lines or other letters"
                )
            self._token = secret
            return
        self.figures.add("logins")
        url = "/auth/token"
        if secret:
            body = {"username": self.access.username, "password": secret}
            answer = self._try("POST", url, json=body)
        else:
            answer = self._try("GET", url)
        if answer.status == httpx.codes.UNAUTHORIZED:
            raise RefusedError(f"Airflow refuses the login of {self.access.username or 'everyone'} at {url}")
        content = self._content(answer, url)
        token = content.get("access_token") if isinstance(content, dict) else None
        if not isinstance(token, str) or not BEARER_TOKEN.fullmatch(token):
            raise UnexpectedError(f"Airflow answered {url} without an access token")
        self._token = token
        self._login.keep(self.access, token)

    def _try(self, method: str, url: str, **request: Any) -> _Answer:
        """Send a request until it is answered by more than a passing fault."""
        fault, retry_after, failing, hangs = "", None, False, 0
        for attempt in range(1, self.pace.tries + 1):
            if attempt > 1:
                self.figures.add("retries")
                self._pause(self._delay(attempt, retry_after, fault))
            self._gate()
            try:
                answer = self._send(method, url, **request)
                self._answered = True
                if answer.status not in PASSING and (answer.status >= 300 or answer.is_whole()):
                    return answer
                said = f"status {answer.status}" if answer.status in PASSING else "broken JSON"
                fault, retry_after = f"answered {url} with {said}", answer.retry_after
                failing = answer.status == httpx.codes.INTERNAL_SERVER_ERROR
            except httpx.TimeoutException:
                fault, retry_after, failing = f"did not answer {url}: it takes too long", None, False
                hangs += 1
                if hangs >= (self.pace.hangs if self._answered else 1):
                    break
            except httpx.TransportError as error:
                fault, retry_after, failing = f"did not answer {url}: {_reason(error)}", None, False
            except httpx.DecodingError:
                fault, retry_after, failing = f"answered {url} in a broken encoding", None, False
        raise AirflowAwayError(f"Airflow {fault}", retry_after, failing=failing)

    def _delay(self, attempt: int, retry_after: float | None, fault: str) -> float:
        if retry_after is not None:
            if retry_after > self.pace.longest_delay:
                raise AirflowAwayError(f"Airflow {fault} and asks to come again in {retry_after:.0f} s", retry_after)
            return retry_after
        longest = min(self.pace.first_delay * 2.0 ** (attempt - 2), self.pace.longest_delay)
        return float(longest) * (0.5 + random.random() / 2)

    def _gate(self) -> None:
        self._before()
        if self._asked >= self.pace.requests:
            raise SpentError(f"{self._asked} requests were sent in this cycle")
        if self._asked:
            self._pause(self.pace.pause)
        self._asked += 1
        self.figures.add("requests")

    def _pause(self, seconds: float) -> None:
        if self._wait(seconds):
            raise StoppedError("the registry stops")

    def _send(self, method: str, url: str, **request: Any) -> _Answer:
        headers = {"Accept": "application/json"}
        if self._token and not url.startswith("/auth/"):
            headers["Authorization"] = f"Bearer {self._token}"
        latest = time.monotonic() + self.pace.longest_answer
        with self._http.stream(method, url, headers=headers, **request) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > latest:
                    raise httpx.ReadTimeout("the answer comes too slowly")
                if len(body) > self.pace.max_bytes:
                    raise AnswerTooLargeError(f"Airflow's answer to {url} is larger than {self.pace.max_bytes} bytes")
            said = _date(response.headers.get("date"))
            self.airflow_time = said or self.airflow_time
            return _Answer(
                response.status_code,
                bytes(body),
                _retry_after(response.headers.get("retry-after"), said or datetime.now(UTC)),
                response.headers.get("location"),
            )

    def _content(self, answer: _Answer, url: str) -> Any:
        status = answer.status
        if status < 300:
            return answer.json()
        if status == httpx.codes.UNAUTHORIZED:
            raise RefusedError(
                f"Airflow does not know the account (status 401 at {url}): renew the token or password that the "
                "deployment's secret refers to"
            )
        if status == httpx.codes.FORBIDDEN:
            raise RefusedError(f"Airflow refuses {url} with status 403: the account may not read it")
        if status == httpx.codes.NOT_FOUND:
            raise AbsentError(f"Airflow has no {url}")
        if status < 400:
            raise UnexpectedError(f"Airflow sends {url} on to another address: use that as the deployment's URL")
        raise UnexpectedError(f"Airflow answered {url} with status {status}")


def _reason(error: httpx.TransportError) -> str:
    """Say in words why no answer came."""
    return f"{error} ({type(error).__name__}); is it running, and is the deployment's URL right?"


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    retry_after: float | None
    location: str | None

    def is_whole(self) -> bool:
        """Tell whether the body is JSON, and says something."""
        try:
            return self.json() is not None
        except ValueError:
            return False

    def json(self) -> Any:
        """Read the body.

        :raises ValueError: it is no JSON
        """
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _retry_after(text: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    moment = _date(text)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
