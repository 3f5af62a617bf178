"""What goes wrong between Airflow, the registry and AWS, with all of them real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.provider.demo.errors import RunError

if TYPE_CHECKING:
    from tests.flows.company import Company

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]


def test_a_run_becomes_an_answer_and_starts_its_readers(company: Company) -> None:
    company.write_rows(1.0, 1.5, 2.0)
    run = company.run("tides_features")
    company.airflow.check(run)
    feature = company.until(company.feature, lambda feature: feature is not None and feature.run is not None)
    assert feature is not None
    assert feature.run is not None
    assert (feature.run.dag_id, feature.run.run_id, feature.run.task_id) == ("tides_features", run.run_id, "ingest")
    assert feature.run.rows is not None
    assert feature.run.rows.accepted == 3
    assert feature.who.owner == "team:harbour"
    readers = company.until(
        lambda: company.airflow.latest_run("tides_readers"), lambda run: run is not None and run.finished
    )
    assert readers is not None
    company.airflow.check(readers)


def test_a_registry_that_was_down_during_the_run_learns_of_it_later(company: Company) -> None:
    company.cluster.registry.stop()
    try:
        company.write_rows(1.0, 1.5, 2.0, 2.5, day=2)
        run = company.run("tides_features")
        company.airflow.check(run)
    finally:
        company.cluster.registry.start()
        company.cluster.registry.wait_ready(seconds=60)
    feature = company.until(
        company.feature,
        lambda feature: feature is not None and feature.run is not None and feature.run.run_id == run.run_id,
    )
    assert feature is not None
    assert feature.run is not None
    assert feature.run.rows is not None
    assert feature.run.rows.accepted == 4


@pytest.mark.parametrize(
    ("dag_id", "sentence"),
    [
        ("missing_file", "/nowhere/rows.csv"),
        ("unknown_connection", "no_such_connection"),
        ("unknown_feature_set", "no-such-feature-set"),
    ],
)
def test_a_mistake_is_one_clear_sentence_in_the_task_log(company: Company, dag_id: str, sentence: str) -> None:
    run = company.run(dag_id)
    with pytest.raises(RunError, match=sentence):
        company.airflow.check(run)


def test_a_retired_feature_set_is_known_as_deleted(company: Company) -> None:
    run = company.run("tides_end")
    company.airflow.check(run)
    feature = company.until(company.feature, lambda feature: feature is not None and feature.deleted)
    assert feature is not None
    assert feature.run is not None
