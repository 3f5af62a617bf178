"""List features by what is repeated on their own rows: one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from festaf.contract.feature import FeatureSummary
from festaf.contract.http import Page
from festaf.contract.model import Model
from festaf.registry_api.features.portrait import Gallery
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.page import decode_cursor, encode_cursor

SHOWN = ("type", "description", "owner", "dag_id", "last_written", "deleted")


class FeatureFilter(Model):
    """Which features are asked for; what is None does not matter. Owner, DAG and text are those of today."""

    project: str | None = Field(None, max_length=64)
    feature_set: str | None = Field(None, max_length=64)
    owner: str | None = Field(None, max_length=500)
    dag_id: str | None = Field(None, max_length=250)
    q: str | None = Field(None, max_length=200, description="A part of the name or the description, in any case")
    as_of: AwareDatetime | None = Field(None, alias="asOf", description="List what stood at this time (with offset)")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)


def list_features(session: Session, asked: FeatureFilter) -> Page[FeatureSummary]:
    """Give one page."""
    after = decode_cursor(asked.cursor, 3) if asked.cursor else None
    wanted = asked.model_dump(include={"project", "feature_set", "owner", "dag_id"}, exclude_none=True)
    rows = FeatureRepository(session).page(wanted, asked.q, asked.as_of, after, asked.limit + 1)
    shown = _at(session, asked.as_of, [feature for feature, _ in rows[: asked.limit]])
    items = tuple(
        FeatureSummary(project=feature_set.project, feature_set=feature_set.name, name=feature.name, **facts)
        for (feature, feature_set), facts in zip(rows, shown, strict=False)
    )
    last = items[-1] if len(rows) > asked.limit else None
    return Page(items=items, cursor=encode_cursor(last.project, last.feature_set, last.name) if last else None)


def _at(session: Session, as_of: datetime | None, features: Sequence[FeatureTable]) -> list[dict[str, Any]]:
    """Give what is shown of each feature: what its row repeats now, or a portrait of that time."""
    if as_of is None:
        return [{name: getattr(feature, name) for name in SHOWN} for feature in features]
    gallery = Gallery(session, as_of)
    by_set: dict[int, list[FeatureTable]] = defaultdict(list)
    for feature in features:
        by_set[feature.feature_set_id].append(feature)
    drawn = {
        portrait.newest.feature.id: portrait.row()
        for set_id, group in by_set.items()
        for portrait in gallery.draw(set_id, group)
    }
    return [{name: drawn[feature.id][name] for name in SHOWN} for feature in features]
