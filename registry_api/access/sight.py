"""What a caller may see: whole projects, and what belongs to them. What is not known to be visible is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from festaf.contract.names import DatasetName, dataset_name, project_of


class Owner(NamedTuple):
    """Whose a job or dataset is: a project's, or of those to whom its namespace was given."""

    kind: Literal["project", "namespace"]
    name: str


@lru_cache(maxsize=65_536)
def owner_of(namespace: str) -> Owner:
    """Name the owner of the jobs and datasets of an OpenLineage namespace; artifacts are their project's."""
    project = project_of(DatasetName(namespace, ""))
    return Owner("namespace", namespace) if project is None else Owner("project", project)


def owner_of_source(source: str) -> Owner | None:
    """Name the owner of a declared source; what is no URI is nobody's."""
    try:
        return owner_of(dataset_name(source).namespace)
    except ValueError:
        return None


@dataclass(frozen=True)
class Sight:
    """The projects that a caller may read, None for all of them, with the OpenLineage namespaces that are theirs."""

    projects: frozenset[str] | None = frozenset()
    namespaces: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Tell whether nothing is hidden."""
        return self.projects is None

    @property
    def nothing(self) -> bool:
        """Tell whether everything is hidden."""
        return self.projects is not None and not self.projects

    @cached_property
    def owners(self) -> frozenset[Owner]:
        """Give those of whom jobs and datasets may be read, if not everything may."""
        projects = {Owner("project", name) for name in self.projects or ()}
        return frozenset(projects | {Owner("namespace", name) for name in self.namespaces})

    def sees(self, project: str) -> bool:
        """Tell whether a project may be read."""
        return self.projects is None or project in self.projects

    def sees_namespace(self, namespace: str) -> bool:
        """Tell whether jobs and datasets of an OpenLineage namespace may be read."""
        return self.projects is None or owner_of(namespace) in self.owners

    def sees_source(self, source: str) -> bool:
        """Tell whether a declared source may be read with the feature that names it."""
        owner = owner_of_source(source)
        return self.projects is None or owner is None or owner in self.owners


EVERYTHING = Sight(projects=None)
NOTHING = Sight()
