"""Searching features: how they are found, in which order, page by page, and what nobody may find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from benchmarks.story import Story
from sqlalchemy import select, text, update

from festaf.contract.search import SearchFilter
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.features.tables import FeatureTable
from festaf.registry_api.schema import migrate
from festaf.registry_api.search import repository, service
from festaf.registry_api.search.service import FeatureFinder, Question
from tests.registry_api.conftest import open_registry
from tests.registry_api.events import declaration, defined, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

CARRIER = declaration(
    "carrier_delay_24h_min",
    owner="Ann Größe",
    tags=["punctuality", "Core"],
    purpose="rank carriers by lateness",
    technique="rolling window",
    sources=["s3://raw/flights.parquet#dep_delay"],
)

TYPED = (
    "delay 24h",
    "24 H carrier",
    "carrierDelay24hMin",
    "CARRIERDELAY24",
    "carrier_delay",
    "nyc/delays/carrier_delay_24h_min",
    "lateness rank",
    "punctual",
    "grosse carrier",
    "flights.parquet#dep",
    "rolling-window min",
    "carier_delya",
    "carrrier dealy 24h",
    "latness",
    "windowrolling",
    "delay24hmin",
)
"""Ways to type ``carrier_delay_24h_min``, and what else is said of it."""


def found(registry: Registry, q: str = "", **query: Any) -> list[tuple[str, str]]:
    answer = registry.get("/search/features", q=q, **query)
    return [(item["name"], item["match"]) for item in answer["items"]]


def names(registry: Registry, q: str = "", **query: Any) -> list[str]:
    return [name for name, _ in found(registry, q, **query)]


@pytest.fixture
def searched(registry: Registry) -> Registry:
    """Give a registry with features of two projects."""
    delays = (CARRIER, declaration("delay"), declaration("delay_max"), declaration("arrDelay"), declaration("wind"))
    tides = declaration("tide_level", description="height of the water, no delay at all", owner="bob")
    registry.post(
        task_event(task="a", outputs=(written(*delays),)),
        task_event(task="b", outputs=(written(tides, name="harbour", project="sea"),)),
    )
    return registry


def test_the_nearest_come_first(searched: Registry) -> None:
    first = searched.get("/search/features", q="delay")
    rest = searched.get("/search/features", q="delay", cursor=first["cursor"])

    assert [(item["name"], item["match"]) for item in first["items"]] == [
        ("delay", "exact"),
        ("delay_max", "prefix"),
        ("arrDelay", "name"),
        ("carrier_delay_24h_min", "name"),
    ]
    assert [(item["name"], item["match"]) for item in rest["items"]] == [("wind", "labels"), ("tide_level", "text")]
    assert rest["cursor"] is None


def test_a_feature_is_found_by_how_people_write_it(searched: Registry) -> None:
    assert [words for words in TYPED if "carrier_delay_24h_min" not in names(searched, words)] == []


def test_words_are_shown_where_they_stand(searched: Registry) -> None:
    marked = {
        (item["name"], lit["field"], *(lit["text"][start:end] for start, end in lit["spans"]))
        for q in ("24h rank", "carier", "arrdel")
        for item in searched.get("/search/features", q=q)["items"]
        for lit in item["highlights"]
    }

    assert {
        ("carrier_delay_24h_min", "name", "24h"),
        ("carrier_delay_24h_min", "purpose", "rank"),
        ("carrier_delay_24h_min", "name", "carrier"),
        ("arrDelay", "name", "arrDelay"),
    } <= marked


def test_filters_narrow_and_stand_alone(searched: Registry) -> None:
    assert names(searched, "delay", project="sea") == ["tide_level"]
    assert names(searched, owner="ann größe") == ["carrier_delay_24h_min"]
    assert names(searched, tag=["core", "PUNCTUALITY"], type="fractional") == ["carrier_delay_24h_min"]
    assert names(searched, tag=["core", "other"]) == []
    assert names(searched, feature_set="harbour", dag_id="flights_features") == ["tide_level"]
    assert names(searched, "delay", written_since="2026-03-02T00:00:00Z") == []
    assert len(names(searched, "delay", not_written_since="2026-03-02T00:00:00Z")) == 4
    assert names(searched, "***") == []


def test_the_index_follows_the_feature(searched: Registry) -> None:
    searched.post(
        task_event(task="a", day=1, outputs=(written(CARRIER | {"purpose": "nothing", "owner": "eve"}),)),
        task_event(task="c", day=2, outputs=(defined(name="harbour", project="sea", deleted=True),)),
    )

    assert names(searched, "lateness") == []
    assert names(searched, owner="eve") == ["carrier_delay_24h_min"]
    assert names(searched, "tide") == []
    assert names(searched, "tide", deleted=True) == ["tide_level"]


def test_nothing_is_written_when_nothing_changed(searched: Registry) -> None:
    with searched.database.writing() as session:
        session.execute(text("DELETE FROM search_document"))
        signatures = set(session.scalars(select(FeatureTable.indexed)))
    searched.post(task_event(task="a", day=1, outputs=(written(CARRIER),)))

    assert None not in signatures
    assert names(searched, "carrier") == []


def test_features_of_an_earlier_release_are_found_after_a_migration(searched: Registry) -> None:
    with searched.database.writing() as session:
        session.execute(text("DELETE FROM search_document"))
        session.execute(update(FeatureTable).values(indexed=None))
    assert names(searched, "carrier") == []

    migrate(searched.database)
    assert names(searched, "carrier delya") == ["carrier_delay_24h_min"]


def test_every_page_goes_on_where_the_last_one_ended(searched: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("festaf.registry_api.search.service.WINDOW", 3)
    monkeypatch.setattr("festaf.registry_api.search.service.MOST_WINDOWS", 2)
    features = [declaration(f"delay_{number:02}_x") for number in range(9)]
    searched.post(task_event(task="d", outputs=(written(*features, name="many"),)))

    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = searched.get("/search/features", q="delay", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["name"] for item in page["items"]]
        cursor, pages = page["cursor"], pages + 1

    assert seen[0] == "delay"
    assert len(seen) == len(set(seen)) == 15
    assert pages >= 8


def test_a_cursor_of_another_search_is_refused(searched: Registry) -> None:
    cursor = searched.get("/search/features", q="delay", limit=1)["cursor"]

    assert searched.ask("/search/features", q="wind", cursor=cursor).status_code == 400
    assert searched.ask("/search/features", q="delay", cursor="nonsense").status_code == 400
    assert searched.ask("/search/features", q="delay", limit=101).status_code == 422


def test_no_words_break_the_question(searched: Registry) -> None:
    for words in ['" OR *', "a' | !b:*", "NEAR(x y)", "\\", "(", "٣ ½ ㏂ 漢字", "x" * 200, "a " * 100]:
        assert searched.ask("/search/features", q=words).status_code == 200, words


def test_what_one_may_not_see_is_not_found_nor_suggested(searched: Registry) -> None:
    with searched.database.reading() as session:
        for sight in (Sight(frozenset({"nyc"})), Sight(frozenset())):
            for words in ("tide", "tid_levle", "tide_levle_xyz"):
                answer = FeatureFinder(session, Question(words, SearchFilter()), sight).page(None, 10)
                assert (answer.items, answer.near) == ((), ())
        answer = FeatureFinder(session, Question("delay", SearchFilter(project="sea")), Sight(frozenset({"nyc"}))).page(
            None, 10
        )
        assert answer.items == ()


def test_nothing_found_says_what_comes_near(searched: Registry) -> None:
    answer = searched.get("/search/features", q="tide_levels_daily", owner="nobody")

    assert answer["items"] == []
    assert [item["name"] for item in answer["near"]] == ["tide_level"]


@pytest.mark.parametrize(("words", "count"), [("feature set", 40), ("feature 1", 31)])
def test_postgresql_finds_the_same_among_the_next_documents_and_by_its_index(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, words: str, count: int
) -> None:
    monkeypatch.setattr(service, "WINDOW", 5)

    def pages() -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = registry.get("/search/features", q=words, limit=7, **({"cursor": cursor} if cursor else {}))
            found += [item["name"] for item in page["items"]]
            cursor = page["cursor"]
            if cursor is None:
                return found

    with open_registry(postgres_url) as registry:
        story = Story(sets=20, features=2)
        assert registry.http.post("/api/v1/lineage/batch", json=list(story.events(1))).status_code == 204
        near = pages()
        for number, (first, widest) in enumerate([(1, 0), (3, 20), (5, 1_000)]):
            monkeypatch.setattr(repository, "LOOKED_AT", first)
            monkeypatch.setattr(repository, "WIDEST", widest)
            registry.post(task_event(dag_id=f"other_{number}"))  # No answer is given again after it.
            assert pages() == near

    assert len(near) == len(set(near)) == count


def test_features_of_one_name_are_listed_by_project_whichever_came_first(registry: Registry) -> None:
    for number, project in enumerate(("nyc", "bos", "sfo")):
        output = written(declaration("level"), project=project, name=f"set_{number}")
        registry.post(task_event(task=project, outputs=(output,)))

    found = registry.get("/search/features", q="level")["items"]

    assert [item["project"] for item in found] == ["bos", "nyc", "sfo"]
