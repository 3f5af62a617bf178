"""Who asks, and what they may do. What nothing allows is denied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from festaf.registry_api.access.sight import EVERYTHING, NOTHING, Sight
from festaf.registry_api.errors import ForbiddenError

CallerKind = Literal["user", "service", "token", "demo"]


class Scope(StrEnum):
    """What a token may do; ``admin`` may do everything that its principal's grants allow."""

    LINEAGE_WRITE = "lineage:write"
    REGISTRY_READ = "registry:read"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """Who asks, with what the grants and the token both allow."""

    name: str
    """Of the principal; of the token when it belongs to none."""
    scopes: frozenset[str]
    kind: CallerKind = "token"
    """``user``, ``service``, ``token`` (one that belongs to nobody) or ``demo``."""
    token: str | None = None
    """The name of the token; None for a person whom the identity provider vouches for."""
    teams: frozenset[str] = frozenset()
    sight: Sight = NOTHING
    """What the caller may read."""
    writes: Sight = NOTHING
    """What the caller may write."""
    administers: Sight = NOTHING
    """What the caller may administer."""

    def has(self, scope: Scope) -> bool:
        """Tell whether the token is of a scope."""
        return bool(self.scopes & {scope, Scope.ADMIN})

    def require(self, scope: Scope) -> None:
        """Let pass only a token of the scope.

        :raises ForbiddenError: the token has another scope
        """
        if not self.has(scope):
            raise ForbiddenError(f"the token of {self.name!r} lacks the scope {scope.value!r}")

    def may_write(self, project: str) -> bool:
        """Tell whether the caller may change what belongs to a project."""
        return self.has(Scope.LINEAGE_WRITE) and self.writes.sees(project)

    def may_write_namespace(self, namespace: str) -> bool:
        """Tell whether the caller may report jobs and datasets of an OpenLineage namespace."""
        return self.has(Scope.LINEAGE_WRITE) and self.writes.sees_namespace(namespace)

    def require_write(self, project: str) -> None:
        """Let pass only one who may change what belongs to a project.

        :raises ForbiddenError: the caller has no role there that may
        """
        if not self.may_write(project):
            raise ForbiddenError(f"{self.name!r} may not write in the project {project!r}")

    def require_project_admin(self, project: str) -> None:
        """Let pass only one who administers a project.

        :raises ForbiddenError: the caller does not
        """
        if not (Scope.ADMIN in self.scopes and self.administers.sees(project)):
            raise ForbiddenError(f"{self.name!r} does not administer the project {project!r}")

    def require_admin(self) -> None:
        """Let pass only one who administers the registry.

        :raises ForbiddenError: the caller does not
        """
        if not (Scope.ADMIN in self.scopes and self.administers.everything):
            raise ForbiddenError(f"{self.name!r} does not administer the registry")


ANYONE = Caller(
    "demo", frozenset({Scope.ADMIN}), kind="demo", sight=EVERYTHING, writes=EVERYTHING, administers=EVERYTHING
)
"""Whoever asks a demo from its own machine."""
