"""What a response says: a model, or one of the errors of errors.py with a clear message."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from festaf.client.errors import (
    AbsentError,
    BusyError,
    DeniedError,
    FaultError,
    InvalidError,
    RefusedError,
    UnexpectedAnswerError,
)
from festaf.contract.http import Problem

if TYPE_CHECKING:
    from festaf.client.errors import RegistryError

BUSY = {408, 425, 429, 502, 503, 504}
DENIED = {401, 403}
INVALID = {400, 409, 413, 415, 422}

Answer = TypeVar("Answer", bound=BaseModel)


def check(response: httpx.Response) -> httpx.Response:
    """Pass a success on, also that nothing changed for one who asked so; raise what a failure means."""
    unchanged = response.status_code == httpx.codes.NOT_MODIFIED and "If-None-Match" in response.request.headers
    if response.is_success or unchanged:
        return response
    raise _error(response)


def read(response: httpx.Response, shape: TypeAdapter[Answer]) -> Answer:
    """Read a model out of a success.

    :raises UnexpectedAnswerError: the body is no such model
    """
    try:
        return shape.validate_json(response.content)
    except ValidationError as error:
        raise UnexpectedAnswerError(
            f"{response.request.url} answered with something that is no answer of a festaf registry of this version "
            f"({error.error_count()} faults, the first: {error.errors()[0]['msg']})"
        ) from error


def _error(response: httpx.Response) -> RegistryError:
    status = response.status_code
    message = f"The registry at {response.request.url.copy_with(query=None)} answered {status}: {_detail(response)}"
    if status in BUSY:
        return BusyError(message, retry_after=_retry_after(response))
    if response.is_server_error:
        return FaultError(message)
    if not response.is_client_error:
        return UnexpectedAnswerError(message)
    kind = RefusedError
    if status in INVALID:
        kind = InvalidError
    elif status in DENIED:
        kind = DeniedError
    elif status == httpx.codes.NOT_FOUND:
        kind = AbsentError
    return kind(message, status=status)


def _detail(response: httpx.Response) -> str:
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return response.reason_phrase or "without a reason"
    return "; ".join((problem.detail or problem.title, *problem.errors))


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0) if moment.tzinfo else None
