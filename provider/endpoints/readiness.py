"""Look whether an endpoint has reached a level: describe it, then prove it by asking it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.endpoints.invocation import ask
from festaf.provider.endpoints.ladder import ABSENT, in_service

if TYPE_CHECKING:
    from festaf.provider.endpoints.bounds import EndpointBounds
    from festaf.provider.hooks.endpoint import EndpointHook


@dataclass(frozen=True)
class EndpointReadiness:
    """A level that an endpoint is to reach."""

    hook: EndpointHook
    name: str
    level: str
    bounds: EndpointBounds

    @property
    def artifact(self) -> str:
        """Name the artifact, for messages."""
        return f"Endpoint {self.name}"

    @property
    def absent(self) -> str:
        """Say that there is no such endpoint."""
        return ABSENT

    def look(self) -> tuple[str, ...]:
        """Ask AWS once and tell what is missing; empty when the level is reached.

        :raises FailedArtifactError: it will not get there any more
        :raises FinalError: the question itself cannot be answered
        :raises ServiceError: AWS throttles or fails; ask again
        """
        self.bounds.check(self.level)
        found = self.hook.describe(self.name)
        missing = in_service(self.name, found, self.bounds)
        if found is None or missing or self.level == "IN_SERVICE" or self.bounds.request is None:
            return missing
        wrong = ask(self.hook, found, self.bounds.request)
        return tuple(f"variant {variant} does not answer as expected: {said}" for variant, said in wrong)
