"""Features with declared sources are indexed anew, since their words stand at other places now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from festaf.registry_api.search.index_repository import IndexRepository
from festaf.registry_api.search.tables import DocumentTable
from tests.registry_api.events import at, declaration, task_event, written

if TYPE_CHECKING:
    from festaf.registry_api.database import Database


def test_features_with_sources_are_indexed_anew(database: Database) -> None:
    features = (declaration("made", sources=["s3://raw/flights#delay"]), declaration("bare", sources=[]))
    with database.writing() as session:
        LineageService(session, at(9_999)).take(task_event(outputs=(written(*features),)))
    with database.writing() as session:
        IndexRepository(session).remove(session.scalars(select(FeatureTable.id)).all())
        session.execute(text("UPDATE alembic_version SET version_num = '0024'"))

    migrate(database)

    with database.reading() as session:
        indexed = select(FeatureTable.name).join(DocumentTable, DocumentTable.feature_id == FeatureTable.id)
        assert list(session.scalars(indexed)) == ["made"]
