"""The Airflow deployments that the registry reads, and how reading them goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from festaf.contract.model import Model, Moment

AirflowName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")]


class AirflowSettings(Model):
    """What is said of a deployment when it is added or changed."""

    base_url: Annotated[str, StringConstraints(min_length=8, max_length=2000)]
    """Such as ``https://airflow.example.com``, without ``/api/v2``, a user or a password."""
    namespace: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    """The OpenLineage namespace under which this Airflow reports."""
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """With it the secret is a password, for which a token is asked at ``/auth/token``; without it, a token."""
    secret: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    """Where the secret stands: ``env:FESTAF_AIRFLOW_...`` or ``file:/...``; never the secret itself."""
    enabled: bool = True
    poll_seconds: Annotated[int, Field(strict=True, ge=5, le=86_400)] = 30


class AirflowState(Model):
    """How reading a deployment goes."""

    last_success: Moment | None = None
    last_error: str | None = None
    """The newest fault; None since all was well again."""
    last_error_at: Moment | None = None
    failures: int = 0
    """Cycles that failed since the last success."""
    events_read_to: Moment | None = None
    """Asset events are read up to here."""
    behind: bool = False
    """True when the last cycle ended before it had read everything."""
    lag_seconds: float | None = None
    """How old the registry's knowledge is: since the last success; None before the first."""
    next_sync: Moment | None = None
    syncing: bool = False
    """True while a server reads the deployment."""
    counts: dict[str, int] = Field(default_factory=dict)


class Airflow(AirflowSettings):
    """A deployment with its state."""

    name: AirflowName
    state: AirflowState
