"""What Prometheus is told, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.registry_api.conftest import Registry, open_registry
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from festaf.registry_api.airflow.figures import Board

EVENT = task_event(outputs=(written(RICH),))


def scraped(registry: Registry) -> dict[tuple[str, ...], float]:
    """Give each sample under its name and the values of its labels."""
    answer = registry.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("festaf_registry_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_and_events_are_counted_by_what_became_of_them(registry: Registry) -> None:
    board: Board = registry.app.state.airflow_figures
    board.of("secret-airflow").add("requests", 2)
    board.of("other").add("requests", 3)
    registry.post(EVENT, EVENT)
    registry.http.post("/api/v1/lineage/batch", json=[EVENT, {"no": "event"}, task_event(minutes=9)])
    assert registry.http.post("/api/v1/lineage", json={"no": "event"}).status_code == 422
    registry.feature()
    registry.http.get("/nowhere/else")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: registry.feature(), range(40)))

    found = scraped(registry)

    assert found["requests_total", "POST", "/api/v1/lineage", "201"] == 2
    assert found["requests_total", "GET", "/api/v1/features/{project}/{feature_set}/{feature}", "200"] == 41
    assert found["requests_total", "GET", "none", "404"] == 1
    assert found["request_seconds_count", "POST", "/api/v1/lineage/batch"] == 1
    assert found["events_total", "taken"] == 2
    assert found["events_total", "duplicate"] == 2
    assert found["events_total", "refused"] == 2
    assert found["batch_events_sum",] == 5
    assert found["airflow_sync_total", "requests"] == 5
    assert found["requests_in_progress",] == 1
    assert found["database_errors_total", "away"] == 0
    told = registry.http.get("/metrics").text
    assert not [name for name in ("nyc", "delays", "secret-airflow", "airflow-prod", "nowhere") if name in told]


def test_a_locked_database_is_counted_and_so_is_its_503(database_url: str) -> None:
    with open_registry(database_url, busy_timeout=0.2) as registry:
        registry.post(EVENT)
        with registry.database.writing() as session:
            # SQLite's writing transaction is alone from its first statement on.
            locking = "SELECT 1" if registry.database.sqlite else "LOCK TABLE event IN ACCESS EXCLUSIVE MODE"
            session.execute(text(locking))
            assert registry.http.post("/api/v1/lineage", json=task_event(minutes=9)).status_code == 503
            found = scraped(registry)

    assert found["database_errors_total", "locked"] >= 1
    assert found["requests_total", "POST", "/api/v1/lineage", "503"] == 1
    assert found["events_total", "taken"] == 1
    assert found["database_connections", "used"] >= 1
