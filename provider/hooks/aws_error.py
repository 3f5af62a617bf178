"""Sort what boto3 raises into the project's own errors, each one sentence that says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from festaf.provider.errors import (
    DENIED,
    QUOTA,
    RETRYABLE,
    AccessError,
    FestafError,
    InputError,
    QuotaError,
    RefusedError,
    ServiceError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.TokenRetrievalError,
)
_NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError)


def code_of(error: Exception) -> str | None:
    """Give AWS's error code; None when AWS did not answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "")
    return None


def message_of(error: ClientError) -> str:
    """Give AWS's own message."""
    return str(error.response.get("Error", {}).get("Message") or "AWS gives no reason")


def is_retryable(error: Exception) -> bool:
    """Tell whether the same request may succeed later: throttled, failed inside AWS, or no answer."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in RETRYABLE or status == 429 or 500 <= status != 501
    return isinstance(error, _NO_ANSWER) and not isinstance(error, boto.SSLError)


def in_our_words(error: Exception, *, operation: str, connection: str | None) -> FestafError:
    """Say in one sentence what went wrong and what to do."""
    through = f"connection {connection!r}" if connection else "boto3's own configuration"
    if isinstance(error, ClientError):
        return _refusal(error, operation, through)
    if isinstance(error, boto.NoRegionError):
        return AccessError(
            f"No AWS region is known from {through}: give region_name to the task or "
            '--region to the command, or put {"region_name": "..."} into the extra of the connection'
        )
    if isinstance(error, _NO_CREDENTIALS):
        return AccessError(
            f"No usable AWS credentials come from {through} ({error}): put an access key or a role into the "
            "connection, or give the worker a role"
        )
    if isinstance(error, boto.SSLError):
        return AccessError(f"TLS with {error.kwargs.get('endpoint_url')} failed: check verify of {through}")
    if isinstance(error, _NO_ANSWER):
        return _silence(error, operation, through)
    return InputError(f"{operation} was not sent, boto3 refused it: {' '.join(str(error).split())}")


def _refusal(error: ClientError, operation: str, through: str) -> FestafError:
    code, said = code_of(error) or "", message_of(error)
    text = f"{operation}: AWS answered {code}: {said}"
    if code in QUOTA:
        return QuotaError(text, code=code, operation=operation)
    if is_retryable(error):
        return ServiceError(text, code=code, operation=operation)
    if code in DENIED:
        return AccessError(f"{text} (credentials of {through})")
    return RefusedError(text, code=code, operation=operation)


def _silence(error: Exception, operation: str, through: str) -> ServiceError:
    where = getattr(error, "kwargs", {}).get("endpoint_url") or "AWS"
    return ServiceError(
        f"{operation}: {where} does not answer ({type(error).__name__}): is the service up, and are endpoint_url and "
        f"region_name of {through} right?",
        operation=operation,
    )


@contextmanager
def sorted_errors(operation: str, connection: str | None) -> Iterator[None]:
    """Turn what boto3 raises inside into the project's errors."""
    try:
        yield
    except (ClientError, boto.BotoCoreError) as error:
        raise in_our_words(error, operation=operation, connection=connection) from error
    except ValueError as error:
        if "endpoint" not in str(error).lower():
            raise
        raise AccessError(f"endpoint_url of connection {connection!r} is no URL: {error}") from error
