"""A look at one artifact: what a sensor or trigger asks again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from festaf.provider.hooks.aws import AwsHook


class Look(Protocol):
    """Looks whether one artifact has reached a level."""

    @property
    def hook(self) -> AwsHook:
        """Give the hook that it asks through."""

    @property
    def artifact(self) -> str:
        """Name the artifact, for messages: ``Feature set planes``."""

    @property
    def absent(self) -> str:
        """Say that there is no such artifact."""

    def look(self) -> tuple[str, ...]:
        """Ask AWS once and tell what is missing; empty when the level is reached.

        :raises FailedArtifactError: it will not get there any more
        :raises FinalError: the question itself cannot be answered
        :raises ServiceError: AWS throttles or fails; ask again
        """
