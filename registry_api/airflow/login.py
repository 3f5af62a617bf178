"""The login of one Airflow, which outlives its cycles: a token is asked for again when it is no longer taken."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """Where an Airflow stands and what opens it; the secret is a reference."""

    base_url: str
    username: str | None = None
    secret: str | None = None


@dataclass
class Login:
    """Keeps the token that an Airflow gave; one for each deployment, in memory only."""

    _access: Access | None = None
    _token: str | None = field(default=None, repr=False)

    def keep(self, access: Access, token: str) -> None:
        """Keep a token for those who come with the same access."""
        self._access, self._token = access, token

    def token(self, access: Access) -> str | None:
        """Give the token that was kept; None when there is none, or when the deployment was changed since."""
        return self._token if self._access == access else None
