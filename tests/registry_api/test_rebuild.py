"""Every derived table can be built anew from the events, with all that was known at earlier times."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from festaf.registry_api.catalog.tables import TaggingTable
from festaf.registry_api.cli import app
from festaf.registry_api.database import Database
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.lineage.derived import DERIVED, PARTLY, SOURCES
from festaf.registry_api.lineage.rebuild import rebuild
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.table import Table
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.contents import contents, differences
from tests.registry_api.databases import with_schema
from tests.registry_api.events import at, declaration, task_event, written
from tests.registry_api.marquez.shop import POSTGRES, shop
from tests.registry_api.story import story
from tests.registry_api.test_order import everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.registry_api.conftest import Registry


@pytest.fixture
def told(database_url: str) -> Iterator[Database]:
    """Give a database that was told the story out of order, in batches that arrived at different times."""
    database = with_schema(Database(database_url))
    events = random.Random(3).sample(story(), len(story()))
    for number, start in enumerate(range(0, len(events), 4)):
        with database.writing() as session:
            arrival = at(10_000) + timedelta(minutes=number)
            assert LineageService(session, arrival).take_batch(events[start : start + 4]) == []
    yield database
    database.close()


def test_a_rebuild_gives_the_same_answers_and_the_same_past(told: Database) -> None:
    answers, before = everything(told), contents(told, history=True)
    steps: list[tuple[int, int]] = []

    assert rebuild(told, lambda done, total: steps.append((done, total))) == len(story())

    assert differences(contents(told, history=True), before) == []
    assert everything(told).differences(answers) == []
    assert steps[-1] == (len(story()), len(story()))
    assert any('"superseded_at": "' in row for row in before["sighting"])


def test_what_later_events_of_a_run_say_of_its_dag_is_kept(database_url: str) -> None:
    database = with_schema(Database(database_url))
    for number, kind in enumerate(("START", "RUNNING", "COMPLETE")):
        with database.writing() as session:
            event = task_event(kind, number, outputs=(written(declaration()),))
            event["job"]["facets"]["festaf_dag"]["dag"]["owners"] = [kind.lower()]
            LineageService(session, at(10 + number)).take(event)
    views = [Viewpoint(at(2)), *(Viewpoint(known_at=at(10 + number)) for number in range(3))]
    answers, before = everything(database, views), contents(database, history=True)

    rebuild(database, lambda _done, _total: None)

    assert differences(contents(database, history=True), before) == []
    assert everything(database, views).differences(answers) == []
    database.close()


def test_a_rebuild_that_is_broken_off_changes_nothing(told: Database) -> None:
    answers, before = everything(told), contents(told, history=True)

    def break_off(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(told, break_off)
    with told.writing() as session:
        assert LineageService(session, at(20_000)).take_batch(story()) == []

    assert differences(contents(told, history=True), before) == []
    assert everything(told).differences(answers) == []


def test_the_command_says_how_many_events_there_were(sqlite_url: str) -> None:
    database = with_schema(Database(sqlite_url))
    with database.writing() as session:
        LineageService(session, at(0)).take_batch(story()[:3])
    database.close()

    done = CliRunner().invoke(app, ["rebuild", "--database-url", sqlite_url, "--json"])

    assert (done.exit_code, done.stdout.strip()) == (0, '{"events": 3}')


def test_every_table_is_known_to_be_derived_or_not(sqlite_url: str) -> None:
    database = with_schema(Database(sqlite_url))
    database.close()

    assert set(Table.metadata.tables) <= DERIVED | SOURCES | set(PARTLY)
    assert len(DERIVED | SOURCES | set(PARTLY)) == len(DERIVED) + len(SOURCES) + len(PARTLY)


def _said(registry: Registry, halfway: datetime) -> dict[str, Any]:
    """Ask every interface for everything.

    :param halfway: when half of it was known
    """
    said: dict[str, Any] = {}

    def ask(path: str, **query: Any) -> Any:
        answer = registry.ask(path, **query)
        assert answer.status_code in {200, 404}, answer.text
        said[f"{path} {query}"] = answer.text
        return answer.json()

    ask("/features", asOf=at(24 * 60 + 15).isoformat())
    for item in ask("/features")["items"]:
        path = f"/features/{item['project']}/{item['feature_set']}/{item['name']}"
        for view in ({}, {"asOf": at(24 * 60 + 15).isoformat()}, {"knownAt": halfway.isoformat()}):
            ask(path, **view)
            ask(f"{path}/lineage", direction="both", **view)
    for dag in ask("/dags")["items"]:
        ask(f"/dags/{dag['dag_id']}/versions")
    for kind in ("jobs", "datasets"):
        for namespace in ask("/namespaces")["namespaces"]:
            _ask_of_catalog(ask, kind, namespace["name"])
    for word in ("delays", "dep_delay", "orders", "tides"):
        ask("/search/features", q=word)
        ask("/search", q=word)
    for path in ("/jobs", "/sources", "/tags", "/events/lineage", "/experiments", "/feature-requests"):
        ask(path)
    return said


def _ask_of_catalog(ask: Callable[..., Any], kind: str, namespace: str) -> None:
    inside = f"/namespaces/{quote(namespace, safe='')}/{kind}"
    for thing in ask(inside)[kind]:
        path = f"{inside}/{quote(thing['name'], safe='')}"
        for more in ("", "/versions", *(["/runs"] if kind == "jobs" else [])):
            ask(path + more)
        ask("/lineage", nodeId=f"{kind[:-1]}:{namespace}:{thing['name']}")


@pytest.mark.long
def test_a_rebuild_changes_no_answer_and_nothing_that_people_said(registry: Registry) -> None:
    events = random.Random(5).sample([*story(), *shop()], len(story()) + len(shop()))
    tell(registry, events[::2])
    halfway = datetime.now(UTC)
    tell(registry, events[1::2])
    orders = f"/api/v1/namespaces/{quote(POSTGRES, safe='')}/datasets/public.orders"
    wish = {"name": "gust_max", "project": "nyc", "purpose": "gusts close runways"}
    for method, path, body in (
        ("POST", f"{orders}/tags/ours", None),
        ("PUT", "/api/v1/tags/ours", {"description": "what we look after"}),
        ("PUT", "/api/v1/namespaces/shop", {"ownerName": "sea", "description": "a shop"}),
        ("DELETE", "/api/v1/namespaces/shop/jobs/stream", None),
        ("POST", "/api/v1/feature-requests", wish),
    ):
        answer = registry.http.request(method, path, json=body)
        assert answer.is_success, answer.text
    before = _said(registry, halfway)

    with registry.database.writing() as session:
        session.add(TaggingTable(**_stray_tag()))
    rebuild(registry.database, lambda _done, _total: None)

    after = _said(registry, halfway)
    assert [(name, before[name], text) for name, text in after.items() if before[name] != text] == []
    assert len(before) == len(after) > 100
    assert {tag["name"] for tag in json.loads(before["/tags {}"])["tags"]} >= {"ours", "pii"}
    with registry.database.reading() as session:
        assert {row.origin for row in session.scalars(select(TaggingTable))} == {"api", "facet"}


def _pages(registry: Registry, cursor: str | None) -> list[str]:
    """Search from a cursor on, page by page, and give each answer."""
    query = {"feature_set": "wide", "limit": 40, **({"cursor": cursor} if cursor else {})}
    answer = registry.ask("/search/features", **query)
    assert answer.status_code == 200, answer.text
    following = answer.json()["cursor"]
    return [answer.text, *(_pages(registry, following) if following else [])]


def test_a_search_goes_on_where_it_was_before_a_rebuild(registry: Registry) -> None:
    names = random.Random(3).sample([f"wide_{number:03}" for number in range(300)], 300)
    for begin in range(0, 300, 30):
        features = [declaration(name) for name in names[begin : begin + 30]]
        tell(registry, [task_event(day=begin, outputs=(written(*features, name="wide"),))])
    pages = _pages(registry, None)
    begun = json.loads(pages[2])["cursor"]
    said = registry.get("/features", limit=1000)

    # Earlier releases told of others meanwhile, of which nothing is left.
    with registry.database.writing() as session:
        session.add_all([FeatureSetTable(id=700, project="nyc", name="gone"), FeatureSetTable(project="lab", name="x")])
        session.add(FeatureTable(id=900, feature_set_id=700, name="gone", first_seen=at(0), deleted=False))
    rebuild(registry.database, lambda _done, _total: None)

    assert _pages(registry, begun) == pages[3:]
    assert _pages(registry, None) == pages
    assert len(pages) > 5
    assert registry.get("/features", limit=1000) == said
    with registry.database.reading() as session:
        assert list(session.scalars(select(FeatureSetTable.name))) == ["wide"]
        assert session.get(FeatureTable, 900) is None


def tell(registry: Registry, events: list[Any]) -> None:
    answer = registry.http.post("/api/v1/lineage/batch", json=events)
    assert answer.status_code == 204, answer.text


def _stray_tag() -> dict[str, str]:
    """Give a tag that no event said; a rebuild must not keep it."""
    return {"subject_key": "0" * 64, "field": "", "tag": "stray", "origin": "facet"}
