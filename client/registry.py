"""Questions to the registry over HTTP: where does a feature come from?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter

from festaf.client.answer import read
from festaf.client.errors import AbsentError, UnreachableError
from festaf.client.feature_request import WishingClient
from festaf.contract.declaration import Declared
from festaf.contract.feature import Feature, FeatureSummary
from festaf.contract.graph import Graph
from festaf.contract.history import HistoryItem
from festaf.contract.http import API, Page
from festaf.contract.impact import Impact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from festaf.client.sender import Params
    from festaf.contract.declaration import FeatureSaid
    from festaf.contract.graph import Direction

_FEATURES = TypeAdapter(Page[FeatureSummary])
_FEATURE = TypeAdapter(Feature)
_GRAPH = TypeAdapter(Graph)
_HISTORY = TypeAdapter(Page[HistoryItem])
_IMPACT = TypeAdapter(Impact)
_DECLARED = TypeAdapter(Declared)


class RegistryClient(WishingClient):
    """A connection to one registry that hands events over and asks questions."""

    def features(
        self,
        *,
        query: str | None = None,
        project: str | None = None,
        feature_set: str | None = None,
        owner: str | None = None,
        dag_id: str | None = None,
        dag_namespace: str | None = None,
    ) -> Iterator[FeatureSummary]:
        """List features, page by page, in the registry's order.

        :param query: a part of the name or the description, in any case
        :param dag_id: the DAG that wrote it last
        :param dag_namespace: the Airflow of that DAG, by its OpenLineage namespace
        """
        asked: Params = {"q": query, "project": project, "feature_set": feature_set, "owner": owner}
        asked |= {"dag_id": dag_id, "dag_namespace": dag_namespace}
        yield from self._pages(f"{API}/features", asked, _FEATURES)

    def feature(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Feature | None:
        """Ask where a feature comes from; None when the registry does not know it.

        :param as_of: answer as it was true at this time
        :param known_at: answer as the registry knew it at this time
        """
        try:
            response = self._get(_feature_path(project, feature_set, name), _clocks(as_of, known_at))
        except AbsentError:
            return None
        return read(response, _FEATURE)

    def history(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Iterator[HistoryItem]:
        """Tell the life of a feature, page by page, the newest first.

        :raises AbsentError: the registry does not know the feature
        """
        path = f"{_feature_path(project, feature_set, name)}/history"
        yield from self._pages(path, _clocks(as_of, known_at), _HISTORY)

    def impact(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        depth: int | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Impact:
        """Tell what breaks if a feature changes.

        :raises AbsentError: the registry does not know the feature
        """
        path = f"{_feature_path(project, feature_set, name)}/impact"
        return read(self._get(path, _clocks(as_of, known_at) | {"depth": depth}), _IMPACT)

    def declare(
        self, project: str, feature_set: str, name: str, said: FeatureSaid, *, if_match: str | None = None
    ) -> Declared:
        """Declare a feature as a whole; the same declaration again changes nothing.

        :param if_match: the hash of the declaration that this one is to take the place of
        :raises RefusedError: the registry refuses it, or another declaration is in force than the one named
        """
        headers = {"If-Match": f'"{if_match}"'} if if_match else {}
        return read(self._put(_feature_path(project, feature_set, name), said, headers), _DECLARED)

    def lineage(
        self,
        project: str,
        feature_set: str,
        name: str,
        *,
        direction: Direction | None = None,
        depth: int | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Graph:
        """Draw what stands up or down the stream of a feature, or both ways, at most ``depth`` steps away.

        :param limit: how many nodes at most; the graph says when it left some out
        :raises AbsentError: the registry does not know the feature
        """
        path = f"{_feature_path(project, feature_set, name)}/lineage"
        asked: Params = {"direction": direction, "depth": depth, "limit": limit}
        return read(self._get(path, asked | _clocks(as_of, known_at)), _GRAPH)

    def ready(self) -> bool:
        """Tell whether the registry answers and can reach its database."""
        try:
            return self.answers("/ready")
        except UnreachableError:
            return False


def _clocks(as_of: datetime | None, known_at: datetime | None) -> Params:
    return {"asOf": _time(as_of), "knownAt": _time(known_at)}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _feature_path(project: str, feature_set: str, name: str) -> str:
    return "/".join((f"{API}/features", *(quote(part, safe="") for part in (project, feature_set, name))))
