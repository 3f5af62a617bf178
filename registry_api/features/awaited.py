"""What a DAG waits for that runs by no clock: assets, and when those who write them run next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from festaf.contract.feature import AwaitedAsset
from festaf.contract.names import dataset_name
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dags.jobs import JobDags
from festaf.registry_api.dags.seen import SeenDag
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import NodeName, dataset_node
from festaf.registry_api.graph.visibility import visibility

LAST = datetime.max.replace(tzinfo=UTC)


class AwaitedAssets:
    """Finds who writes assets."""

    def __init__(self, session: Session, graph: FeatureGraph, sight: Sight) -> None:
        self.graph = graph
        self.dags = JobDags(session, graph.view, sight)
        self.sight = sight

    def of(self, dag: SeenDag) -> tuple[AwaitedAsset, ...]:
        """Give the assets that a DAG waits for, those first that are updated first."""
        nodes = {uri: _node(uri) for uri in dag.waits_for}
        known = {node for node in nodes.values() if node}
        access = visibility(known, self.sight, self.graph.deleted)
        writers = self._writers({node for node in known if access[node] != "restricted"})
        found = []
        for uri, node in nodes.items():
            if node is None:
                found.append(AwaitedAsset(uri=uri, access="unknown"))
            elif access[node] == "restricted":
                found.append(AwaitedAsset(uri=None, access="restricted"))
            else:
                writer = writers.get(node)
                found.append(
                    AwaitedAsset(
                        uri=uri,
                        dag_id=writer.dag_id if writer else None,
                        dag_namespace=writer.namespace if writer else None,
                        next_run=writer.next_run if writer else None,
                        access=access[node],
                    )
                )
        return tuple(sorted(found, key=lambda item: (item.next_run or LAST, item.uri or "")))

    def _writers(self, nodes: Iterable[NodeName]) -> Mapping[NodeName, SeenDag]:
        """Give by asset the DAG that runs next of those that write it; those that run by no clock come last."""
        jobs: dict[NodeName, list[tuple[str, str]]] = {}
        for node, items in self.graph.neighbours(list(nodes), "source").items():
            makers = [item.node for item in items if item.node.kind == "job"]
            jobs[node] = [(job.namespace, job.name) for job in makers if self.sight.sees_namespace(job.namespace)]
        dags = self.dags.of({job for named in jobs.values() for job in named})
        found: dict[NodeName, SeenDag] = {}
        for node, named in jobs.items():
            seen = [dags[job].seen for job in named if job in dags]
            if seen:
                found[node] = min(seen, key=lambda dag: (dag.deleted, dag.next_run or LAST, dag.dag_id, dag.namespace))
        return found


def _node(uri: str) -> NodeName | None:
    try:
        name = dataset_name(uri)
    except ValueError:
        return None
    return dataset_node(name.namespace, name.name)
