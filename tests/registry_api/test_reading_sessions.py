"""Sessions that read, and how they ask for what a question lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.features.answer import FeatureAnswer
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.viewpoint import NOW
from tests.registry_api.conftest import open_registry
from tests.registry_api.events import RICH, at, declaration, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def test_postgresql_plans_what_is_asked_often_only_once(postgres_url: str) -> None:
    with open_registry(postgres_url) as registry:
        registry.post(task_event(outputs=(written(RICH),)))
        for _ in range(15):
            with registry.database.open_steady() as session:
                FeatureAnswer(session, NOW, at(0), EVERYTHING).give("nyc", "delays", "dep_delay")

        with registry.database.reading() as session:
            planned = session.execute(text("SELECT generic_plans FROM pg_prepared_statements")).scalars().all()

    assert len(planned) > 15
    assert any(planned)


def test_a_session_whose_statement_failed_gives_its_connection_back(registry: Registry) -> None:
    for _ in range(20):  # More than the pool holds.
        with pytest.raises(SQLAlchemyError), registry.database.reading() as session:
            session.execute(text("SELECT nothing FROM nowhere"))
    with registry.database.reading() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_a_connection_that_broke_while_it_was_read_is_replaced(postgres_url: str) -> None:
    with open_registry(postgres_url) as registry:
        with registry.database.reading() as session:
            number = session.execute(text("SELECT pg_backend_pid()")).scalar()
            with registry.database.writing() as other:
                other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        with registry.database.reading() as session:
            assert session.execute(text("SELECT 1")).scalar() == 1


def test_features_are_found_by_their_whole_names(registry: Registry) -> None:
    for name in ("delays", "weather"):
        registry.post(task_event(outputs=(written(declaration("mean"), declaration("maximum"), name=name),)))
    asked = {("nyc", "delays", "mean"), ("nyc", "weather", "maximum")}

    with registry.database.reading() as session:
        found = SourceRepository(session).features({*asked, ("nyc", "weather", "none"), ("other", "delays", "mean")})

    assert found.keys() == asked
