"""Why a job ends before its work is done."""

from __future__ import annotations

LONGEST_REASON = 1024
"""Characters that FailureReason may have."""


class JobFailedError(Exception):
    """The job fails; ``reason`` is its FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason[:LONGEST_REASON]


class JobStoppedError(Exception):
    """The job ends before its end; ``secondary`` says why: Stopped, MaxRuntimeExceeded or MaxWaitTimeExceeded."""

    def __init__(self, secondary: str = "Stopped") -> None:
        super().__init__(secondary)
        self.secondary = secondary


class JobInterruptedError(Exception):
    """The machines are gone, and the job begins anew; ``secondary`` says why: Interrupted or Restarting."""

    def __init__(self, secondary: str) -> None:
        super().__init__(secondary)
        self.secondary = secondary


class AbandonedError(Exception):
    """The server ends or was reset: nothing more of the job is to be written."""
