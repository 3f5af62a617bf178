"""Tell who answers for features and feature sets, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.orm import Session

from festaf.contract.names import DatasetName
from festaf.contract.names import feature_set_of as read_feature_set
from festaf.registry_api.features.portrait import Gallery
from festaf.registry_api.features.present_repository import FeatureName
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.viewpoint import Viewpoint


class OwnerReader:
    """Reads owners as they are seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.view = view
        self.sources = SourceRepository(session)
        self.gallery = Gallery(session, view)

    def of(self, nodes: Iterable[NodeName]) -> dict[NodeName, str | None]:
        """Give by feature or feature set its owner."""
        wholes: dict[NodeName, tuple[str, str]] = {}
        parts: dict[NodeName, FeatureName] = {}
        for node in nodes:
            if named := read_feature_set(DatasetName(node.namespace, node.name)):
                if node.field:
                    parts[node] = (*named, node.field)
                else:
                    wholes[node] = named
        features = self._of_features(set(parts.values()))
        sets = self._of_sets({*wholes.values(), *(name[:2] for name in parts.values() if name not in features)})
        found = {node: sets[named] for node, named in wholes.items() if named in sets}
        for node, name in parts.items():
            if name in features or name[:2] in sets:
                found[node] = features[name] if name in features else sets[name[:2]]
        return found

    def _of_sets(self, names: set[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
        ids = self.sources.sets(names)
        abouts = self.gallery.abouts(ids.values())
        return {name: abouts[set_id].owner for name, set_id in ids.items()}

    def _of_features(self, names: set[FeatureName]) -> dict[FeatureName, str | None]:
        """Give them as their own rows repeat them now, else by their portraits of that time."""
        rows = self.sources.features(names)
        if self.view.now:
            return {name: row.owner for name, row in rows.items()}
        by_set: dict[int, list[FeatureTable]] = defaultdict(list)
        for row in rows.values():
            by_set[row.feature_set_id].append(row)
        drawn = self.gallery.draw_sets(by_set)
        owners = {item.newest.feature.id: item.owner for portraits in drawn.values() for item in portraits}
        return {name: owners[row.id] for name, row in rows.items()}
