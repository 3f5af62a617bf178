"""What the readiness of an endpoint is measured against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from festaf.provider.endpoints.given import given
from festaf.provider.endpoints.smoke import SmokeRequest
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["IN_SERVICE", "ANSWERING"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, kw_only=True)
class EndpointBounds:
    """What IN_SERVICE and ANSWERING are proven with."""

    configuration: str | None = None
    """The configuration that must be in service; None takes any."""
    since: datetime | None = None
    """When the endpoint had last changed before the deployment of that configuration was asked for: a later return to
    another configuration is a rollback."""
    request: SmokeRequest | None = None
    """ANSWERING: the sample request."""

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> EndpointBounds:
        """Read what ``as_dict`` wrote, or what a user gave; empty texts are nothing.

        :raises InputError: a value cannot be read
        """
        known = {key: value for key, value in (values or {}).items() if value is not None and value != ""}
        since = known.get("since")
        if isinstance(since, str):
            since = datetime.fromisoformat(since)
        request = known.get("request")
        return cls(
            configuration=known.get("configuration"),
            since=since,
            request=None if request is None else given(SmokeRequest, request),
        )

    def as_dict(self) -> dict[str, Any]:
        """Write only what is set, as JSON can hold it."""
        written: dict[str, Any] = {}
        if self.configuration:
            written["configuration"] = self.configuration
        if self.since:
            written["since"] = self.since.isoformat()
        if self.request:
            fields = asdict(self.request)
            written["request"] = {key: value for key, value in fields.items() if value is not None}
        return written

    def check(self, level: str) -> None:
        """Find what is missing or unknown before anything is asked.

        :raises InputError: something is
        """
        if level not in LEVELS:
            raise InputError(f"level is {level!r}: write one of {', '.join(LEVELS)}")
        if level == "ANSWERING" and self.request is None:
            raise InputError("Level ANSWERING needs request: the sample request that is to be answered")
        if self.request is not None:
            self.request.check()
