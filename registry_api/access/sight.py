"""What a caller may see: whole projects, and what belongs to them. What is not known to be visible is hidden."""

from __future__ import annotations

from dataclasses import dataclass

from festaf.contract.names import SCHEME, DatasetName, project_of


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

    def sees(self, project: str) -> bool:
        """Tell whether a project may be read."""
        return self.projects is None or project in self.projects

    def sees_namespace(self, namespace: str) -> bool:
        """Tell whether jobs and datasets of an OpenLineage namespace may be read.

        Artifacts are their project's; any other namespace belongs to the projects that it was given to.
        """
        if self.projects is None:
            return True
        if namespace.startswith(SCHEME):
            project = project_of(DatasetName(namespace, ""))
            return project is not None and project in self.projects
        return namespace in self.namespaces


EVERYTHING = Sight(projects=None)
NOTHING = Sight()
