"""Questions to the registry over HTTP: where does a feature come from?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter

from festaf.client.answer import read
from festaf.client.errors import AbsentError, UnreachableError
from festaf.client.feature_request import WishingClient
from festaf.contract.feature import Feature, FeatureSummary
from festaf.contract.graph import Graph
from festaf.contract.http import API, Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from festaf.client.sender import Params

PAGE_SIZE = 100
_FEATURES = TypeAdapter(Page[FeatureSummary])
_FEATURE = TypeAdapter(Feature)
_GRAPH = TypeAdapter(Graph)


class RegistryClient(WishingClient):
    """A connection to one registry that hands events over and asks questions."""

    def features(
        self,
        *,
        query: str | None = None,
        project: str | None = None,
        feature_set: str | None = None,
    ) -> Iterator[FeatureSummary]:
        """List features, page by page, in the registry's order.

        :param query: a part of the name or the description, in any case
        """
        asked: Params = {
            "q": query,
            "project": project,
            "feature_set": feature_set,
            "limit": PAGE_SIZE,
        }
        cursor: str | None = None
        while True:
            page = read(self._get(f"{API}/features", asked | {"cursor": cursor}), _FEATURES)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def feature(self, project: str, feature_set: str, name: str, *, as_of: datetime | None = None) -> Feature | None:
        """Ask where a feature comes from; None when the registry does not know it."""
        try:
            response = self._get(_feature_path(project, feature_set, name), {"asOf": _time(as_of)})
        except AbsentError:
            return None
        return read(response, _FEATURE)

    def lineage(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        depth: int | None = None,
        as_of: datetime | None = None,
    ) -> Graph:
        """Draw what stands up and down the stream of a feature, at most ``depth`` steps away.

        :raises AbsentError: the registry does not know the feature
        """
        path = f"{_feature_path(project, feature_set, name)}/lineage"
        return read(self._get(path, {"depth": depth, "asOf": _time(as_of)}), _GRAPH)

    def ready(self) -> bool:
        """Tell whether the registry answers and can reach its database."""
        try:
            return self.answers("/ready")
        except UnreachableError:
            return False


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _feature_path(project: str, feature_set: str, name: str) -> str:
    return "/".join((f"{API}/features", *(quote(part, safe="") for part in (project, feature_set, name))))
