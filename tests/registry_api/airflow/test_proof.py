"""The text of a version of a bundle is told when nothing can have come between, and runs of that version get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.registry_api.lineage.rebuild import rebuild
from tests.registry_api.airflow.deployment import SET, Reply
from tests.registry_api.airflow.test_asset_events import wrote
from tests.registry_api.events import DAG, RICH, at

if TYPE_CHECKING:
    from tests.registry_api.airflow.conftest import Sync
    from tests.registry_api.conftest import Registry

OLD, NEW = "# of the first commit", "# of the second commit"


@pytest.fixture
def versioned(sync: Sync) -> Sync:
    return _versioned(sync)


@pytest.fixture
def plain(sqlite_sync: Sync) -> Sync:
    return _versioned(sqlite_sync)


def _versioned(sync: Sync) -> Sync:
    """Have a DAG that uses assets in a bundle at its first commit, seen once."""
    sync.airflow.assets = [{"uri": SET, "producing_tasks": [{"dag_id": DAG, "task_id": "ingest"}]}]
    sync.airflow.clock = lambda: at(sync.minutes)
    sync.airflow.parse("AAA", 600, OLD)
    assert sync.run() is None
    return sync


def write(sync: Sync, day: int, commit: str | None) -> None:
    sync.airflow.add_run(day, bundle_version=commit)
    sync.airflow.add_event(day, fact=wrote(RICH))


def look_again(sync: Sync, commit: str | None, text: str | None = None, seconds: float = 1) -> None:
    """Parse again, and read when the text is due."""
    minutes = sync.minutes + 11
    sync.airflow.parse(commit, minutes, text, seconds)
    assert sync.run(minutes) is None


def text(registry: Registry) -> str | None:
    found = registry.feature()["how"]["dag_file"]
    return found and str(found["text"])


def versions(sync: Sync) -> set[tuple[str | None, str | None]]:
    found = sync.registry.get(f"/dags/{DAG}/versions")["items"]
    return {(item["bundle_version"], item["source"]) for item in found if item["source"]}


def test_a_run_of_the_commit_gets_its_text_and_a_run_of_another_does_not(versioned: Sync) -> None:
    sync = versioned
    write(sync, 0, "AAA")
    assert sync.run() is None
    assert text(sync.registry) is None  # The run was seen before its text was proven.
    look_again(sync, "AAA")
    assert sync.figures.counts()["texts_proven"] == 1
    assert text(sync.registry) == OLD
    assert sync.registry.feature()["origins"]["how.dag_file"] == "airflow"

    write(sync, 1, "BBB")
    sync.airflow.parse("BBB", sync.minutes + 1, NEW)
    assert sync.run() is None
    assert text(sync.registry) is None
    look_again(sync, "BBB")
    assert text(sync.registry) == NEW
    write(sync, 2, "AAA")  # The text was proven before the run was seen: one that waited long in its queue.
    assert sync.run() is None
    assert text(sync.registry) == OLD
    assert versions(sync) == {("AAA", OLD), ("BBB", NEW)}

    rebuild(sync.registry.database, lambda *_: None)
    assert text(sync.registry) == OLD
    assert versions(sync) == {("AAA", OLD), ("BBB", NEW)}


def test_a_text_is_proven_once_with_one_request_more(plain: Sync) -> None:
    look_again(plain, "AAA")
    asked = plain.airflow.asked_for(f"/dags/{DAG}")
    look_again(plain, "AAA")
    assert plain.airflow.asked_for(f"/dags/{DAG}") == asked == 1
    assert plain.airflow.asked_for("dagSources") == 3


def test_a_text_that_was_being_parsed_when_the_bundle_moved_on_is_not_proven(plain: Sync) -> None:
    """Airflow stores the text of the old commit under the new one then, until it parses the file again."""
    sync = plain
    sync.airflow.parse("BBB", sync.minutes + 0.5)
    assert sync.run() is None
    sync.airflow.parse("BBB", sync.minutes + 10, seconds=12 * 60)
    assert sync.run(sync.minutes + 11) is None
    assert versions(sync) == {(None, OLD)}
    look_again(sync, "BBB", NEW)
    assert versions(sync) == {(None, OLD), ("BBB", NEW)}


def test_a_text_that_is_parsed_again_while_it_is_read_is_read_again(plain: Sync) -> None:
    sync = plain

    def parse_again(path: str) -> None:
        if "dagSources" in path and len(parses) < 1:
            parses.append(path)
            sync.airflow.parse("AAA", sync.minutes + 0.1, NEW)

    parses: list[str] = []
    sync.airflow.faults.append(parse_again)
    look_again(sync, "AAA", OLD)
    assert ("AAA", NEW) in versions(sync)
    assert ("AAA", OLD) not in versions(sync)


def test_a_text_whose_bundle_moves_on_while_it_is_read_is_not_proven(plain: Sync) -> None:
    sync = plain
    sync.airflow.faults.append(
        lambda path: sync.airflow.parse("BBB", sync.minutes + 0.1, NEW) if "dagSources" in path else None
    )
    look_again(sync, "AAA", OLD)
    assert {bundle for bundle, _ in versions(sync)} == {None}


def test_nothing_is_proven_of_a_file_that_airflow_could_not_store_or_may_not_show(plain: Sync) -> None:
    sync = plain
    sync.airflow.dags[DAG]["has_import_errors"] = True
    look_again(sync, "AAA")
    sync.airflow.dags[DAG]["has_import_errors"] = False
    sync.airflow.fail(Reply(403), f"/dags/{DAG}")
    look_again(sync, "AAA")
    sync.airflow.dags[DAG]["last_parse_duration"] = None
    assert sync.run(sync.minutes + 11) is None
    assert versions(sync) == {(None, OLD)}


def test_two_texts_of_one_commit_prove_neither(plain: Sync) -> None:
    """Somebody changed the folder that the DAG processor reads."""
    write(plain, 0, "AAA")
    look_again(plain, "AAA")
    assert text(plain.registry) == OLD
    look_again(plain, "AAA", NEW)
    assert text(plain.registry) is None


def test_a_bundle_without_versions_costs_no_request_more(plain: Sync) -> None:
    plain.airflow.parse(None, plain.minutes + 1)
    assert plain.run() is None
    look_again(plain, None)
    assert plain.airflow.asked_for(f"/dags/{DAG}") == 0
