"""What goes wrong between the registry and an Airflow.

AirflowError
├── AirflowAwayError      no usable answer after several tries; may say when to come again
├── RefusedError          401 after a fresh login, or 403
├── AbsentError           404: deleted in Airflow, or never there
├── UnexpectedError       another 4xx, a redirect, or JSON of another shape
├── AnswerTooLargeError   the answer passes its bound; a smaller page may not
├── SecretError           the secret that the deployment refers to cannot be read
├── SpentError            the cycle's requests are spent; the next goes on
├── StoppedError          the registry stops
├── UnforeseenError       a fault of the sync itself; the log has it whole
└── LostLeaseError        another server syncs this deployment now
"""

from __future__ import annotations

from festaf.registry_api.errors import RegistryError


class AirflowError(RegistryError):
    """The sync of one deployment cannot go on now."""


class AirflowAwayError(AirflowError):
    """Airflow gave no usable answer."""

    def __init__(self, sentence: str, retry_after: float | None = None, *, failing: bool = False) -> None:
        super().__init__(sentence, retry_after)
        self.sentence = sentence
        self.retry_after = retry_after
        self.failing = failing
        """True when Airflow answered each time, but with status 500."""

    def __str__(self) -> str:
        return self.sentence


class RefusedError(AirflowError):
    """Airflow does not let the registry read this."""


class AbsentError(AirflowError):
    """Airflow has no such thing."""


class UnexpectedError(AirflowError):
    """Airflow answered something that the sync does not understand."""


class AnswerTooLargeError(AirflowError):
    """The answer is larger than the sync reads."""


class SecretError(AirflowError):
    """The secret cannot be read."""


class SpentError(AirflowError):
    """The cycle has asked as often as it may."""


class StoppedError(AirflowError):
    """The sync was asked to stop."""


class UnforeseenError(AirflowError):
    """The sync failed at something that nobody thought of."""


class LostLeaseError(AirflowError):
    """Another server has the deployment."""
