"""Find the runs that a run is a part of; what a run says of them and what they say themselves meet in any order."""

from __future__ import annotations

from uuid import UUID

from festaf.contract.openlineage import EventType
from festaf.contract.run import RunLink
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dags.seen import Seen, SeenRun
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies

HIGHEST = 20
"""How many generations are looked up, so that a circle of parents ends."""


class Family:
    """Gives the parent and the root of a run."""

    def __init__(self, seen: Seen, run: SeenRun, sight: Sight) -> None:
        self.seen = seen
        self.run = run
        self.sight = sight
        self.facets = bodies(run.told.run_facets)

    def parent(self) -> RunLink | None:
        """Give the run that started this one."""
        return self._link(reading.run_named(self.facets, "parent"))

    def root(self) -> RunLink | None:
        """Give the run that everything began with: as the run says it, else the parent of the parent, and so on."""
        facets, named = self.facets, None
        seen = {self.run.uuid}
        for _ in range(HIGHEST):
            if said := reading.run_named(facets, "parent", "root"):
                return self._link(said)
            parent = reading.run_named(facets, "parent")
            if parent is None or parent[0] in seen:
                break
            named = parent
            seen.add(parent[0])
            row = self.seen.run(parent[0])
            if row is None:
                break
            facets = bodies(row.told.run_facets)
        return self._link(named)

    def _link(self, named: tuple[UUID, str | None, str | None] | None) -> RunLink | None:
        if named is None:
            return None
        run_id, namespace, job = named
        row = self.seen.run(run_id)
        stands_in = row.namespace if row else namespace
        if stands_in and not self.sight.sees_namespace(stands_in):
            return RunLink(id=run_id)
        if row is None:
            return RunLink(id=run_id, namespace=namespace, job=job)
        return RunLink(
            id=run_id, namespace=row.namespace, job=row.job, state=EventType(row.state) if row.state else None
        )
