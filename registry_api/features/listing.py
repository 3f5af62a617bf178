"""List features by what is repeated on their own rows: one query."""

from __future__ import annotations

from pydantic import Field
from sqlalchemy.orm import Session

from festaf.contract.feature import FeatureSummary
from festaf.contract.http import Page
from festaf.contract.model import Model
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.page import decode_cursor, encode_cursor


class FeatureFilter(Model):
    """Which features are asked for; what is None does not matter."""

    project: str | None = Field(None, max_length=64)
    feature_set: str | None = Field(None, max_length=64)
    owner: str | None = Field(None, max_length=500)
    dag_id: str | None = Field(None, max_length=250)
    q: str | None = Field(None, max_length=200, description="A part of the name or the description, in any case")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)


def list_features(session: Session, asked: FeatureFilter) -> Page[FeatureSummary]:
    """Give one page."""
    after = decode_cursor(asked.cursor, 3) if asked.cursor else None
    wanted = asked.model_dump(include={"project", "feature_set", "owner", "dag_id"}, exclude_none=True)
    rows = FeatureRepository(session).page(wanted, asked.q, after, asked.limit + 1)
    items = tuple(
        FeatureSummary(
            project=feature_set.project,
            feature_set=feature_set.name,
            name=feature.name,
            type=feature.type,
            description=feature.description,
            owner=feature.owner,
            dag_id=feature.dag_id,
            last_written=feature.last_written,
            deleted=feature.deleted,
        )
        for feature, feature_set in rows[: asked.limit]
    )
    last = items[-1] if len(rows) > asked.limit else None
    return Page(items=items, cursor=encode_cursor(last.project, last.feature_set, last.name) if last else None)
