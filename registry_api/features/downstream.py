"""Walk from a feature to everything that is made from it: tasks, datasets, training sets, models, endpoints.

What a task reads of a feature set it reads as a whole, so the walk steps from the feature to its set. Where columns, a
training set or a model's list of features say that the feature was left out, the walk does not go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.feature import ConsumerKind, Origin
from festaf.contract.names import DatasetName
from festaf.contract.names import feature_set_of as read_feature_set
from festaf.registry_api.artifacts.facts import artifact_of
from festaf.registry_api.artifacts.service import ArtifactService, Use
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import NodeName, feature_node
from festaf.registry_api.graph.service import Neighbour
from festaf.registry_api.graph.walk import FORESEEN_FROM
from festaf.registry_api.viewpoint import Viewpoint

ARTIFACTS: dict[str, ConsumerKind] = {
    "training-set": "training_set",
    "model": "model",
    "endpoint": "endpoint",
    "monitor": "monitor",
}


@dataclass(frozen=True)
class Reached:
    """A node downstream."""

    node: NodeName
    distance: int
    previous: NodeName | None
    """The node before it on a shortest way; None for the feature itself and its set."""
    origin: Origin
    last_stated: datetime
    use: Use | None = None
    """How an artifact uses the feature."""

    @property
    def kind(self) -> ConsumerKind:
        """Say what it is; a task, until it is known to be a DAG."""
        if self.node.kind == "job":
            return "task"
        if self.node.kind in {"feature", "feature_set"}:
            return "feature" if self.node.kind == "feature" else "feature_set"
        artifact = artifact_of(self.node.namespace, self.node.name)
        return ARTIFACTS[artifact[0]] if artifact else "dataset"


@dataclass
class Downstream:
    """What was reached, by node."""

    root: NodeName
    reached: dict[NodeName, Reached] = field(default_factory=dict)
    truncated: bool = False

    def via(self, item: Reached) -> tuple[NodeName, ...]:
        """Give the nodes between the feature and a node, the nearest to the feature first."""
        way: list[NodeName] = []
        previous = item.previous
        while previous is not None and previous in self.reached:
            way.append(previous)
            previous = self.reached[previous].previous
        return tuple(reversed(way))


class DownstreamWalk:
    """Walks level by level, within bounds."""

    def __init__(self, session: Session, view: Viewpoint, graph: FeatureGraph | None = None) -> None:
        self.graph = graph or FeatureGraph(session, view)
        self.sources = SourceRepository(session)
        self.artifacts = ArtifactService(session, view)

    def go(self, project: str, feature_set: str, feature: str, *, depth: int, limit: int) -> Downstream:
        """Walk from a feature at most ``depth`` steps, to at most ``limit`` nodes."""
        root = feature_node(project, feature_set, feature)
        found = Downstream(root)
        start = {node for node in (root, root.whole) if node}
        level, passed = start, set(start)
        if depth >= FORESEEN_FROM:
            self.graph.foresee(start, "target", depth, limit)
        for distance in range(1, depth + 2):
            if not level:
                break
            new = self._next(level, distance, passed, found)
            new = self._kept(new, (project, feature_set, feature), found)
            if distance > depth or len(found.reached) + len(new) > limit:
                found.truncated = found.truncated or bool(new)
                room = limit - len(found.reached) if distance <= depth else 0
                new = dict(sorted(new.items(), key=lambda pair: pair[0].id)[: max(room, 0)])
            found.reached |= new
            level = set(new)
            passed |= level
        return found

    def _next(
        self, level: set[NodeName], distance: int, passed: set[NodeName], found: Downstream
    ) -> dict[NodeName, Reached]:
        """Give what one step leads to; a column leads to the dataset that it stands in."""
        new: dict[NodeName, Reached] = {}
        for name, items in sorted(self.graph.neighbours(level, "target").items()):
            for item in items:
                node = item.node.whole if item.node.kind == "field" else item.node
                if node is None or not item.passage or node in passed or _older(new.get(node), item):
                    continue
                before = name if name in found.reached else None
                new[node] = Reached(node, distance, before, item.origin, item.last_stated)
        for node, reached in list(new.items()):
            whole = node.whole
            if whole and whole not in passed and whole not in new:
                new[whole] = Reached(whole, distance, node, reached.origin, reached.last_stated)
        return new

    def _kept(
        self, new: dict[NodeName, Reached], feature: tuple[str, str, str], found: Downstream
    ) -> dict[NodeName, Reached]:
        """Leave out what is known not to use the feature."""
        named = {node: artifact for node in new if (artifact := artifact_of(node.namespace, node.name))}
        asked = {(kind, project, node.name) for node, (kind, project) in named.items()}
        uses = self.artifacts.uses(asked, feature) if asked else {}
        kept: dict[NodeName, Reached] = {}
        for node, item in new.items():
            use = uses.get((*named[node], node.name)) if node in named else None
            if use is None or use.used:
                kept[node] = Reached(node, item.distance, item.previous, item.origin, item.last_stated, use)
        return self._by_columns(kept, found.root)

    def _by_columns(self, new: dict[NodeName, Reached], root: NodeName) -> dict[NodeName, Reached]:
        """Leave out datasets whose columns come from other features of the set, and none from this one."""
        through = {node for node, item in new.items() if item.distance == 2 and item.kind == "dataset"}
        named = read_feature_set(DatasetName(root.namespace, root.name))
        if not through or named is None:
            return new
        others = [feature_node(*named, name) for name in self.sources.names(*named) if name != root.field]
        tracked = {
            item.node.whole or item.node
            for items in self.graph.graph.neighbours(others, "target", self.graph.view).values()
            for item in items
        }
        return {node: item for node, item in new.items() if node not in through or node not in tracked}


def _older(known: Reached | None, item: Neighbour) -> bool:
    return known is not None and known.last_stated >= item.last_stated
