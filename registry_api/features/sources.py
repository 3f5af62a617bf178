"""The whole graph around features: what events said, and what the features' authors declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.names import DatasetName
from festaf.contract.names import feature_set_of as read_feature_set
from festaf.registry_api.changes import follow
from festaf.registry_api.features.newest_repository import Newest, NewestRepository
from festaf.registry_api.features.portrait import Gallery
from festaf.registry_api.features.present_repository import DeclaredSource, FeatureName, PresentRepository
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.graph.names import NodeName, feature_node
from festaf.registry_api.graph.service import GraphService, Neighbour, Side
from festaf.registry_api.graph.subjects import subjects_of
from festaf.registry_api.viewpoint import Viewpoint

Neighbours = dict[NodeName, list[Neighbour]]


class FeatureGraph:
    """Gives the neighbours of nodes, as they are or were at a time."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view
        self.graph = GraphService(session)
        self.sources = SourceRepository(session)
        self.present = PresentRepository(session)
        self.newest = NewestRepository(session, view)
        self.gallery = Gallery(session, view)
        self._foreseen: dict[Side, Neighbours] = {"source": {}, "target": {}}

    def foresee(self, start: Collection[NodeName], side: Side, depth: int, most: int) -> None:
        """Read at once what a walk from some nodes will ask for level by level.

        What it did not foresee, the walk still asks for.
        """
        if self.view.now:
            nodes = {*start, *self.graph.reachable(start, side, depth, most)}
            self._foreseen[side] = self._read(nodes, side)

    def neighbours(self, nodes: Collection[NodeName], side: Side) -> Neighbours:
        """Give by node what goes into it (``source``) or comes out of it (``target``)."""
        foreseen = self._foreseen[side]
        strange = [node for node in nodes if node not in foreseen]
        read = self._read(strange, side) if strange else {}
        return {node: read[node] if node in read else foreseen[node] for node in nodes}

    def _read(self, nodes: Collection[NodeName], side: Side) -> Neighbours:
        found: Neighbours = {node: [] for node in nodes}
        declared = self._declared(nodes, side)
        for node, items in declared.items():
            found[node] += items
            follow(self.session, subjects_of(item.node for item in items) if side == "target" else ())
        said = self.graph.neighbours(nodes, side, self.view)
        outspoken = self._outspoken(declared, said, side)
        for node, items in said.items():
            found[node] += [item for item in items if (node if side == "source" else item.node) not in outspoken]
        for items in found.values():
            items.sort(key=lambda item: (item.node.id, item.origin))
        return found

    def first_seen(self, nodes: Collection[NodeName]) -> dict[NodeName, datetime]:
        """Give when nodes were first named."""
        return self.graph.first_seen(nodes)

    def deleted(self, nodes: Collection[NodeName]) -> set[NodeName]:
        """Give the features that were retired, and the datasets that were dropped; a drop may concern anything."""
        follow(self.session, subjects_of(node for node in nodes if node.kind == "feature"))
        if self.view.now:
            retired = {feature_node(*name) for name in self.present.retired(_features(nodes))}
        else:
            retired = self._retired(self._asked(nodes))
        return retired | self.graph.deleted(nodes, self.view)

    def _retired(self, asked: Mapping[NodeName, tuple[FeatureTable, int]]) -> set[NodeName]:
        by_set: dict[int, list[FeatureTable]] = defaultdict(list)
        for feature, feature_set_id in asked.values():
            by_set[feature_set_id].append(feature)
        drawn = [item for portraits in self.gallery.draw_sets(by_set).values() for item in portraits]
        gone = {item.newest.feature.id for item in drawn if item.deleted}
        return {name for name, (feature, _) in asked.items() if feature.id in gone}

    def opaque_ids(self, nodes: Collection[NodeName]) -> dict[NodeName, str]:
        """Give ids for nodes that the caller may not see."""
        return self.graph.opaque_ids(nodes)

    def _outspoken(self, declared: Neighbours, said: Neighbours, side: Side) -> set[NodeName]:
        """Name the features of which the author declared the sources: no event speaks against that."""
        if side == "source":
            return {node for node, items in declared.items() if items}
        features = {item.node for items in said.values() for item in items if item.node.kind == "feature"}
        return {node for node, items in self._declared(features, "source").items() if items} if features else set()

    def _declared(self, nodes: Collection[NodeName], side: Side) -> Neighbours:
        return self._declared_now(nodes, side) if self.view.now else self._declared_then(nodes, side)

    def _declared_now(self, nodes: Collection[NodeName], side: Side) -> Neighbours:
        found: Neighbours = defaultdict(list)
        if side == "source":
            rows = self.present.sources_of(features) if (features := _features(nodes)) else []
            self.graph.met |= {row.source: row.source_id for row in rows}
            shown = self.graph.shown([(row.source, row.said_at) for row in rows])
            for row, source in zip(rows, shown, strict=True):
                found[feature_node(*row.feature)].append(_declared(row, source))
            return found
        spelled = self.graph.spelled([node for node in nodes if node.kind != "job"])
        for row in self.present.fed_by(spelled) if spelled else ():
            for node, spelling in spelled[row.source_id]:
                if spelling.covers(row.said_at):
                    found[node].append(_declared(row, feature_node(*row.feature)))
        return found

    def _declared_then(self, nodes: Collection[NodeName], side: Side) -> Neighbours:
        sources = [node for node in nodes if node.kind != "job"] if side == "target" else []
        spelled = self.graph.spelled(sources, self.view)
        features = self._asked(nodes) if side == "source" else self._fed_by(spelled)
        if not features:
            return {}
        newest = self._newest(features)
        rows = self.sources.sources([feature.id for feature, _ in features.values()], self.view)
        names = self.graph.names({node for _, _, node, _ in rows})
        since: dict[tuple[int, int], datetime] = {}
        for feature_id, _, node, moment in rows:
            if moment:
                since[feature_id, node] = min(moment, since.get((feature_id, node), moment))
        found: Neighbours = defaultdict(list)
        standing = [
            (newest[feature_id][1], node, (since[feature_id, node], saying.at, _last_run(newest[feature_id][0])))
            for feature_id, version_id, node, _ in rows
            if (saying := newest[feature_id][0].saying) and saying.version.id == version_id
            if (feature_id, node) in since
        ]
        shown = self.graph.shown([(names[node], said[1]) for _, node, said in standing], self.view)
        for (feature, node, said), source in zip(standing, shown, strict=True):
            if side == "source":
                found[feature].append(Neighbour(source, "declared", *said, None))
            for asked, spelling in spelled.get(node, ()):
                if spelling.covers(said[1]):
                    found[asked].append(Neighbour(feature, "declared", *said, None))
        return found

    def _newest(self, features: dict[NodeName, tuple[FeatureTable, int]]) -> dict[int, tuple[Newest, NodeName]]:
        by_set: dict[int, list[FeatureTable]] = defaultdict(list)
        names = {feature.id: name for name, (feature, _) in features.items()}
        for feature, feature_set_id in features.values():
            by_set[feature_set_id].append(feature)
        return {
            item.feature.id: (item, names[item.feature.id])
            for drawn in self.newest.of_sets(by_set).values()
            for item in drawn
        }

    def _asked(self, nodes: Iterable[NodeName]) -> dict[NodeName, tuple[FeatureTable, int]]:
        rows = self.sources.features(_features(nodes))
        return {feature_node(*name): (row, row.feature_set_id) for name, row in rows.items()}

    def _fed_by(self, nodes: Collection[int]) -> dict[NodeName, tuple[FeatureTable, int]]:
        rows = self.sources.fed_by(nodes)
        return {feature_node(group.project, group.name, row.name): (row, group.id) for row, group in rows}


def _features(nodes: Iterable[NodeName]) -> list[FeatureName]:
    """Read the names of the features among some nodes."""
    found: list[FeatureName] = []
    for node in nodes:
        named = read_feature_set(DatasetName(node.namespace, node.name)) if node.kind == "feature" else None
        if named and node.field:
            found.append((*named, node.field))
    return found


def _declared(row: DeclaredSource, other: NodeName) -> Neighbour:
    return Neighbour(other, "declared", row.since, row.said_at, row.last_run, None)


def _last_run(newest: Newest) -> str | None:
    """Give Airflow's run id of the run that said the declaration last, when a write did."""
    production, saying = newest.production, newest.saying
    said = production and saying and production.ended_at >= saying.at
    return production.run.airflow_run_id if production and said else None
