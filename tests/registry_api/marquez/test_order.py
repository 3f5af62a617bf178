"""The catalog is a function of the set of events: their order, repetition and batches do not matter."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from festaf.registry_api.catalog.tables import (
    DatasetFacetTable,
    DatasetTable,
    DatasetVersionTable,
    JobFacetTable,
    JobRunTable,
    JobTable,
    JobVersionTable,
    NamespaceTable,
    TaggingTable,
)
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from tests.registry_api.databases import with_schema
from tests.registry_api.marquez.shop import DAILY, DAY, Json, event, facet, shop, versioned

if TYPE_CHECKING:
    from pathlib import Path

Facts = dict[str, Any]
CONTRADICTIONS = [
    event("FAIL", "etl.daily", 301, 4, outputs=(versioned(DAILY, "v3"),)),
    event("COMPLETE", "features", 402, 5, outputs=({**DAILY, "name": "moved"},)),
    event("COMPLETE", "renamed", 404, 5, job_facets={"odd": facet(x=[1])}),
]
"""A run that failed before it completed; one that changed its job's name."""
STORY = [*shop(), *CONTRADICTIONS]


def tell(database: Database, batches: list[list[Json]]) -> Facts:
    """Tell events in batches and give what the catalog knows, by names."""
    for batch in batches:
        with database.writing() as session:
            assert LineageService(session, DAY).take_batch(batch) == []
    with database.reading() as session:
        jobs = {row.id: row.key for row in session.scalars(select(JobTable))}
        datasets = {row.id: row.key for row in session.scalars(select(DatasetTable))}
        runs = {row.id: row.uuid for row in session.scalars(select(RunTable))}
        versions = {row.id: row.uuid for row in session.scalars(select(JobVersionTable))}
        ran = {
            runs[row.run_id]: (jobs[row.job_id], row.at, versions.get(row.version_id or 0))
            for row in session.scalars(select(JobRunTable))
        }
        return {
            "namespaces": {row.name: row.first_seen for row in session.scalars(select(NamespaceTable))},
            "jobs": {
                row.key: (row.first_seen, row.last_seen, row.stamps, row.latest_at, row.latest_run)
                for row in session.scalars(select(JobTable))
            },
            "datasets": {
                row.key: (row.first_seen, row.last_seen, row.stamps, row.source_name, row.source_uri)
                for row in session.scalars(select(DatasetTable))
            },
            "job facets": {
                (jobs[row.subject_id], row.name): row.body for row in session.scalars(select(JobFacetTable))
            },
            "facets": {
                (datasets[row.subject_id], row.name): row.body for row in session.scalars(select(DatasetFacetTable))
            },
            "tags": {
                (row.subject_key, row.field, row.tag, row.origin) for row in session.scalars(select(TaggingTable))
            },
            "runs": ran,
            "versions": {
                (datasets[row.dataset_id], row.run_uuid): row.at for row in session.scalars(select(DatasetVersionTable))
            },
        }


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder: Path = tmp_path_factory.mktemp("order")
    return told(f"sqlite:///{folder / 'registry.db'}", [STORY])


def told(url: str, batches: list[list[Json]]) -> Facts:
    database = with_schema(Database(url))
    try:
        return tell(database, batches)
    finally:
        database.close()


def shuffled(seed: int) -> list[list[Json]]:
    chance = random.Random(seed)
    events = chance.sample(STORY, len(STORY)) + chance.sample(STORY, 5)
    cuts = sorted(chance.sample(range(1, len(events)), chance.randrange(1, 6)))
    return [events[start:end] for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_batches_and_repeats_give_the_same_catalog(tmp_path: Path, in_order: Facts, seed: int) -> None:
    assert told(f"sqlite:///{tmp_path / 'registry.db'}", shuffled(seed)) == in_order


def test_postgresql_keeps_the_catalog_that_sqlite_keeps(postgres_url: str, in_order: Facts) -> None:
    assert told(postgres_url, shuffled(7)) == in_order


def test_an_event_that_is_known_writes_nothing(tmp_path: Path, in_order: Facts) -> None:
    assert told(f"sqlite:///{tmp_path / 'registry.db'}", [STORY, STORY, STORY[3:5]]) == in_order
