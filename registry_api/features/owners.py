"""Tell who answers for features and feature sets, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.orm import Session

from festaf.contract.names import DatasetName
from festaf.contract.names import feature_set_of as read_feature_set
from festaf.registry_api.features.portrait import Gallery, known_owner
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.viewpoint import Viewpoint


class OwnerReader:
    """Reads owners as they are seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.features = FeatureRepository(session)
        self.sources = SourceRepository(session)
        self.gallery = Gallery(session, view)

    def of(self, nodes: Iterable[NodeName]) -> dict[NodeName, str | None]:
        """Give by feature or feature set its owner."""
        by_set: dict[tuple[str, str], list[NodeName]] = defaultdict(list)
        for node in nodes:
            if named := read_feature_set(DatasetName(node.namespace, node.name)):
                by_set[named].append(node)
        found: dict[NodeName, str | None] = {}
        for named, group in by_set.items():
            found |= self._of_set(*named, group)
        return found

    def _of_set(self, project: str, feature_set: str, nodes: list[NodeName]) -> dict[NodeName, str | None]:
        row = self.features.find_set(project, feature_set)
        if row is None:
            return {}
        about = self.gallery.about(row.id)
        whole = known_owner(about.declared.get("owner")) or about.observed.get("owner")
        rows = self.sources.features(project, feature_set, {node.field for node in nodes if node.field})
        drawn = {item.newest.feature.name: item.owner for item in self.gallery.draw(row.id, rows)}
        return {node: drawn.get(node.field, whole) if node.field else whole for node in nodes}
