"""Tell what breaks if a feature changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy.orm import Session

from festaf.contract.feature import Access
from festaf.contract.impact import Affected, Impact
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dags.jobs import JobDags
from festaf.registry_api.dags.seen import SeenDag
from festaf.registry_api.features.downstream import Downstream, DownstreamWalk, Reached
from festaf.registry_api.features.owners import OwnerReader
from festaf.registry_api.graph.names import NodeName, job_node
from festaf.registry_api.graph.visibility import visibility
from festaf.registry_api.viewpoint import Viewpoint

HIDDEN = "restricted"


class ImpactAnswer:
    """Puts together everything downstream of a feature, with those who are to be told."""

    def __init__(self, session: Session, view: Viewpoint, sight: Sight) -> None:
        self.sight = sight
        self.walk = DownstreamWalk(session, view)
        self.owners = OwnerReader(session, view)
        self.dags = JobDags(session, view, sight)

    def give(self, project: str, feature_set: str, name: str, *, depth: int, limit: int) -> Impact:
        """Answer."""
        found = self.walk.go(project, feature_set, name, depth=depth, limit=limit)
        dags = self._dags(item.node for item in found.reached.values() if item.node.kind == "job")
        owners = self._owners(found, dags)
        access = self._access(found, dags)
        affected = [
            self._affected(found, item, owners.get(item.node, ()), dags, access[item.node])
            for item in found.reached.values()
        ]
        affected += self._whole_dags(found, dags)
        affected.sort(key=lambda item: (item.distance, item.kind, item.id or "~", item.via))
        told = {owner for item in affected for owner in item.owners}
        return Impact(
            project=project,
            feature_set=feature_set,
            feature=name,
            affected=tuple(affected),
            counts=dict(sorted(Counter(item.kind for item in affected).items())),
            owners=tuple(sorted(told)),
            truncated=found.truncated,
        )

    def _dags(self, jobs: Iterable[NodeName]) -> dict[NodeName, tuple[NodeName, SeenDag]]:
        """Give by job the DAG that it is, or is a task of."""
        found = self.dags.of((job.namespace, job.name) for job in jobs)
        return {job_node(*job): (job_node(*dag.name), dag.seen) for job, dag in found.items()}

    def _owners(
        self, found: Downstream, dags: dict[NodeName, tuple[NodeName, SeenDag]]
    ) -> dict[NodeName, tuple[str, ...]]:
        """Give who answers for each: its own owner; else that of the DAG whose task made it."""
        features = [item.node for item in found.reached.values() if item.node.kind in {"feature", "feature_set"}]
        owners: dict[NodeName, tuple[str, ...]] = {
            node: (owner,) for node, owner in self.owners.of(features).items() if owner
        }
        for item in found.reached.values():
            maker = item.node if item.node.kind == "job" else item.previous
            if item.use and item.use.owner:
                owners[item.node] = (item.use.owner,)
            elif item.node not in owners and maker in dags:
                owners[item.node] = dags[maker][1].owners
        return owners

    def _access(self, found: Downstream, dags: dict[NodeName, tuple[NodeName, SeenDag]]) -> dict[NodeName, Access]:
        """Give what the caller sees of each; a task is deleted with its DAG."""
        gone = {job for job, (_, seen) in dags.items() if seen.deleted}
        return visibility(found.reached, self.sight, lambda nodes: self.walk.graph.deleted(nodes) | gone)

    def _affected(
        self,
        found: Downstream,
        item: Reached,
        owners: tuple[str, ...],
        dags: dict[NodeName, tuple[NodeName, SeenDag]],
        access: Access,
    ) -> Affected:
        node = item.node
        visible = access != "restricted"
        is_dag = node in dags and dags[node][0] == node
        return Affected(
            id=node.id if visible else None,
            kind="dag" if is_dag else item.kind,
            namespace=node.namespace if visible else None,
            name=_shown(node) if visible else None,
            distance=item.distance,
            via=tuple(self._shown_id(step) for step in found.via(item)),
            owners=owners if visible else (),
            version=item.use.version if item.use and visible else None,
            approval=item.use.approval if item.use and visible else None,
            last_read=item.last_stated if visible else None,
            origin=item.origin,
            access=access,
        )

    def _whole_dags(self, found: Downstream, dags: dict[NodeName, tuple[NodeName, SeenDag]]) -> list[Affected]:
        """Give the DAGs of the tasks, each as near as the nearest of its tasks."""
        nearest: dict[NodeName, tuple[Reached, SeenDag]] = {}
        for job, (dag, seen) in dags.items():
            item = found.reached[job]
            if dag not in found.reached and (dag not in nearest or item.distance < nearest[dag][0].distance):
                nearest[dag] = (item, seen)
        return [
            Affected(
                id=dag.id,
                kind="dag",
                namespace=dag.namespace,
                name=dag.name,
                distance=item.distance,
                via=tuple(self._shown_id(step) for step in found.via(item)),
                owners=seen.owners,
                last_read=item.last_stated,
                origin=item.origin,
                access="deleted" if seen.deleted else "accessible",
            )
            for dag, (item, seen) in nearest.items()
            if self.sight.sees_namespace(dag.namespace)
        ]

    def _shown_id(self, node: NodeName) -> str:
        return node.id if self.sight.sees_namespace(node.namespace) else HIDDEN


def _shown(node: NodeName) -> str:
    """Write a feature with its set, whose namespace is the project."""
    return node.name if node.field is None else f"{node.name}#{node.field}"
