"""Roles in projects, and how far they reach together with what a token is limited to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from festaf.registry_api.access.sight import EVERYTHING, Sight

ALL_PROJECTS = "*"
"""What a grant names instead of a project when it holds in every one, also in those to come."""


class Role(StrEnum):
    """What a principal may do in a project; each may what the ones before it may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def level(self) -> int:
        """Give the place in the order of roles."""
        return list(Role).index(self)


@dataclass(frozen=True)
class Granted:
    """A role in a project."""

    project: str
    role: Role


@dataclass(frozen=True)
class Reach:
    """Where somebody may read, write and administer."""

    sight: Sight
    writes: Sight
    administers: Sight


UNBOUNDED = Reach(EVERYTHING, EVERYTHING, EVERYTHING)


def reach_of(grants: Iterable[Granted], namespaces: Mapping[str, str], limit: Iterable[str] | None = None) -> Reach:
    """Tell how far grants reach.

    :param namespaces: the project of each OpenLineage namespace that was given to one
    :param limit: the only projects that the token opens; None when it opens all that the grants do
    """
    held = list(grants)
    bound = None if limit is None else frozenset(limit)
    return Reach(*(_part(held, role, namespaces, bound) for role in (Role.READ, Role.WRITE, Role.ADMIN)))


def _part(grants: list[Granted], least: Role, namespaces: Mapping[str, str], bound: frozenset[str] | None) -> Sight:
    projects = frozenset(grant.project for grant in grants if grant.role.level >= least.level)
    if ALL_PROJECTS in projects:
        if bound is None:
            return EVERYTHING
        projects = bound
    elif bound is not None:
        projects &= bound
    return Sight(projects, frozenset(name for name, project in namespaces.items() if project in projects))
