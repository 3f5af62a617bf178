"""The registry's errors.

RegistryError
├── SetupError                 the registry cannot start; one sentence for the terminal
└── ServiceError               becomes an RFC 9457 problem with its status code
    ├── BadRequestError        400: no JSON, broken gzip, an unknown cursor
    ├── UnauthenticatedError   401: no token, or one that is unknown, expired or revoked
    ├── ForbiddenError         403: the token lacks the scope; or a stranger asks a demo
    ├── NotFoundError          404
    ├── ConflictError          409: a name is taken
    ├── GoneError              410: it was deleted, and nothing will ever stand in its place
    ├── StaleError             412: it was changed since the caller read it
    ├── UnconditionalError     428: say by If-Match what is to be changed
    ├── TooLargeError          413: the body is larger than allowed
    ├── UnsupportedError       415: a content type or encoding that is not known
    ├── UnreadableEventError   422: JSON, but no OpenLineage event; says each field that is wrong
    ├── UnprocessableError     422: an archive or a signature that is not what it must be
    ├── QuarantinedError       451: nobody gets it until somebody has looked at it
    ├── TooManyRequestsError   429 with Retry-After: one caller asks too often, or one address fails too often
    ├── StoreFaultError        500: the store of archives cannot be used as it is set up; says what to do about it
    │   ├── StoreMissingError      there is no such bucket
    │   └── StoreDeniedError       there are no credentials, or they may not do what they must
    └── UnavailableError       503 with Retry-After: the database is locked or away
        └── StoreAwayError         the store of archives cannot be reached, cuts the connection, or fails
            ├── StoreSlowError         it does not answer in time
            └── StoreBusyError         it asks for fewer requests
"""

from __future__ import annotations

from festaf.contract.http import Related


class RegistryError(Exception):
    """Anything the registry refuses or cannot do."""


class SetupError(RegistryError):
    """The registry cannot start or be administered as asked."""


class ServiceError(RegistryError):
    """A request that is answered with a problem."""

    status_code = 500
    title = "Internal error"

    def __init__(self, detail: str, errors: tuple[str, ...] = (), related: tuple[Related, ...] = ()) -> None:
        super().__init__(detail, errors, related)
        self.detail = detail
        self.errors = errors
        self.related = related

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers that belong to the status."""
        return {}


class BadRequestError(ServiceError):
    """The request cannot be read."""

    status_code = 400
    title = "Bad request"


class UnauthenticatedError(ServiceError):
    """Nobody knows who asks."""

    status_code = 401
    title = "Not authenticated"

    @property
    def headers(self) -> dict[str, str]:
        """Ask for a bearer token."""
        return {"WWW-Authenticate": 'Bearer realm="festaf registry"'}


class ForbiddenError(ServiceError):
    """The one who asks may not."""

    status_code = 403
    title = "Forbidden"


class NotFoundError(ServiceError):
    """There is no such thing."""

    status_code = 404
    title = "Not found"


class ConflictError(ServiceError):
    """It stands already."""

    status_code = 409
    title = "Conflict"


class GoneError(ServiceError):
    """It was deleted, and nothing will ever stand in its place."""

    status_code = 410
    title = "Gone"


class StaleError(ServiceError):
    """It was changed since the caller read it."""

    status_code = 412
    title = "Changed since"


class UnconditionalError(ServiceError):
    """A change must say what it changes."""

    status_code = 428
    title = "Condition required"


class TooLargeError(ServiceError):
    """The body passes its bound."""

    status_code = 413
    title = "Too large"


class UnsupportedError(ServiceError):
    """The body is in a form that is not known."""

    status_code = 415
    title = "Unsupported media type"


class UnreadableEventError(ServiceError):
    """The body is JSON, but not what was asked for."""

    status_code = 422
    title = "Unreadable"


class UnprocessableError(ServiceError):
    """The body was read, and is not what it must be."""

    status_code = 422
    title = "Refused"


class QuarantinedError(ServiceError):
    """Nobody gets it until somebody has looked at it."""

    status_code = 451
    title = "Quarantined"


class TooManyRequestsError(ServiceError):
    """One caller asks, or one address fails, more often than is allowed."""

    status_code = 429
    title = "Too many requests"

    def __init__(self, detail: str, policy: str, limit: int, window: int, retry_after: int) -> None:
        super().__init__(detail)
        self.policy = policy
        self.limit = limit
        self.window = window
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Say what is allowed and when to come back, in seconds."""
        return {
            "Retry-After": str(self.retry_after),
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.policy}";r=0;t={self.retry_after}',
        }


class UnavailableError(ServiceError):
    """The database is locked or away; the same request may succeed later."""

    status_code = 503
    title = "Unavailable"
    retry_after = 2

    @property
    def headers(self) -> dict[str, str]:
        """Say when to come back, in seconds."""
        return {"Retry-After": str(self.retry_after)}


class StoreFaultError(ServiceError):
    """The store of archives cannot be used as it is set up; the same request fails until somebody changes that."""

    status_code = 500
    title = "Store of archives not usable"
    kind = "setup"


class StoreMissingError(StoreFaultError):
    """There is no such bucket."""

    kind = "missing"


class StoreDeniedError(StoreFaultError):
    """There are no credentials, or they may not do what they must."""

    kind = "denied"


class StoreAwayError(UnavailableError):
    """The store of archives cannot be reached, cuts the connection, or fails; the same request may succeed later."""

    title = "Store of archives unavailable"
    retry_after = 5
    kind = "away"


class StoreSlowError(StoreAwayError):
    """The store of archives does not answer in time."""

    kind = "slow"


class StoreBusyError(StoreAwayError):
    """The store of archives asks for fewer requests."""

    kind = "busy"
