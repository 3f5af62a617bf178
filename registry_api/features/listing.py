"""List features: now by what is repeated on their own rows, earlier by their portraits of that time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from festaf.contract.feature import FeatureSummary
from festaf.contract.http import Page
from festaf.contract.model import Model
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.edge import AsOf, KnownAt
from festaf.registry_api.features.list_repository import Asked, ListRepository
from festaf.registry_api.features.portrait import Gallery
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.viewpoint import Viewpoint

SHOWN = ("type", "description", "owner", "dag_id", "dag_namespace", "last_written", "deleted")
OF_SETS = {"project", "feature_set"}
REPEATED = {"owner", "dag_id", "dag_namespace"}
"""What is asked of features' rows now, and of their portraits of an earlier time."""
SCANNED = 2_000
"""How many features one request for an earlier time looks at; a page may then be short, and its cursor goes on."""
FeatureRow = tuple[FeatureTable, FeatureSetTable]


class FeatureFilter(Model):
    """Which features are asked for; what is None does not matter."""

    project: str | None = Field(None, max_length=64)
    feature_set: str | None = Field(None, max_length=64)
    owner: str | None = Field(None, max_length=500)
    dag_id: str | None = Field(None, max_length=250)
    dag_namespace: str | None = Field(None, max_length=500, description="The Airflow of the DAG")
    q: str | None = Field(None, max_length=200, description="A part of the name or the description, in any case")
    as_of: AsOf = Field(None, alias="asOf")
    known_at: KnownAt = Field(None, alias="knownAt")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)

    @property
    def view(self) -> Viewpoint:
        """Give the two clocks."""
        return Viewpoint(self.as_of, self.known_at)


class FeatureListing:
    """Lists features that a caller may see."""

    def __init__(self, session: Session, sight: Sight) -> None:
        self.session = session
        self.sight = sight
        self.features = ListRepository(session)

    def page(self, asked: FeatureFilter) -> Page[FeatureSummary]:
        """Give one page."""
        after = decode_cursor(asked.cursor, 3) if asked.cursor else None
        if asked.view.now:
            items, more = self._present(asked, after)
        else:
            items, more = self._past(asked, after)
        last = (items[-1].project, items[-1].feature_set, items[-1].name) if more is True and items else None
        key = more if isinstance(more, tuple) else last
        return Page(items=tuple(items), cursor=encode_cursor(*key) if key else None)

    def _present(
        self, asked: FeatureFilter, after: tuple[str, ...] | None
    ) -> tuple[list[FeatureSummary], bool | tuple[str, ...]]:
        wanted = asked.model_dump(include=OF_SETS | REPEATED, exclude_none=True)
        rows = self.features.summaries(Asked(wanted, asked.limit + 1, asked.q, after, self.sight.projects))
        return [FeatureSummary(**row) for row in rows[: asked.limit]], len(rows) > asked.limit

    def _past(
        self, asked: FeatureFilter, after: tuple[str, ...] | None
    ) -> tuple[list[FeatureSummary], bool | tuple[str, ...]]:
        """Look at features in order until the page is full; owner, DAG and text are those of that time."""
        wanted = asked.model_dump(include=OF_SETS, exclude_none=True)
        items: list[FeatureSummary] = []
        chunk = max(asked.limit, SCANNED // 10)
        for _ in range(max(SCANNED // chunk, 1)):
            rows = self.features.rows(Asked(wanted, chunk + 1, None, after, self.sight.projects))
            looked = rows[:chunk]
            shown = self._portraits(asked.view, looked)
            for row in looked:
                facts = shown.get(row[0].id)
                if facts and _fits(row, facts, asked):
                    items.append(_summary(row, facts))
                    if len(items) > asked.limit:
                        return items[:-1], True
            if len(rows) <= chunk:
                return items, False
            after = _key(looked[-1])
        return items, after or False

    def _portraits(self, view: Viewpoint, rows: Sequence[FeatureRow]) -> dict[int, dict[str, Any]]:
        gallery = Gallery(self.session, view)
        by_set: dict[int, list[FeatureTable]] = defaultdict(list)
        for feature, _ in rows:
            by_set[feature.feature_set_id].append(feature)
        drawn = [portrait for portraits in gallery.draw_sets(by_set).values() for portrait in portraits]
        return {item.newest.feature.id: item.row() for item in drawn if item.newest.first_said is not None}


def _key(row: FeatureRow) -> tuple[str, ...]:
    return row[1].project, row[1].name, row[0].name


def _summary(row: FeatureRow, facts: dict[str, Any]) -> FeatureSummary:
    feature, feature_set = row
    shown = {name: facts[name] for name in SHOWN}
    return FeatureSummary(project=feature_set.project, feature_set=feature_set.name, name=feature.name, **shown)


def _fits(row: FeatureRow, facts: dict[str, Any], asked: FeatureFilter) -> bool:
    if any(getattr(asked, name) not in {None, facts[name]} for name in REPEATED):
        return False
    text = (asked.q or "").lower()
    return text in row[0].name.lower() or text in (facts["description"] or "").lower()
