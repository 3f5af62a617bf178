"""What can go wrong between a program and the registry.

RegistryError
├── PassingError             the same request may succeed later
│   ├── UnreachableError     no answer: refused, reset, not resolved, too slow
│   ├── BusyError            408, 425, 429, 502, 503, 504
│   └── FaultError           any other 5xx: the registry's own error
├── RefusedError             4xx: the same request will be refused again
│   ├── DeniedError          401, 403
│   ├── AbsentError          404
│   └── InvalidError         400, 409, 413, 415, 422: the request itself is wrong
└── UnexpectedAnswerError    an answer that no registry gives: another server stands at this address
SpoolError
├── SpoolFullError           the bound in count or bytes is reached
└── SpoolUnwritableError     the folder or the disk does not take the event
"""

from __future__ import annotations


class RegistryError(Exception):
    """A request to the registry did not succeed; the text says why in one sentence."""


class PassingError(RegistryError):
    """The same request may succeed later.

    ``retry_after`` is the wait that the registry asked for, in seconds, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(PassingError):
    """No answer came."""


class BusyError(PassingError):
    """The registry, or what stands before it, cannot take the request now."""


class FaultError(PassingError):
    """The registry met an error of its own, perhaps only with this request."""


class RefusedError(RegistryError):
    """The same request will be refused again; ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class DeniedError(RefusedError):
    """The token is missing, wrong, or does not allow this."""


class AbsentError(RefusedError):
    """What was asked for does not exist."""


class InvalidError(RefusedError):
    """The request is wrong as it stands."""


class UnexpectedAnswerError(RegistryError):
    """The answer is not one that a registry gives."""


class SpoolError(Exception):
    """The spool did not take an event; the text says why in one sentence."""


class SpoolFullError(SpoolError):
    """The bound in count or bytes is reached; nothing was written and nothing was dropped."""


class SpoolUnwritableError(SpoolError):
    """The folder or the disk does not take the event."""
