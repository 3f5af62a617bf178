"""What a task says of a version of a model becomes a dataset with what it was made from."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset
from airflow.sdk.execution_time.context import OutletEventAccessors

from festaf.contract.facts.told import Worker
from festaf.contract.model_version import MODEL_VERSION_FACET
from festaf.provider.lineage.datasets import attached_to, inputs, outputs

DELAY = Asset("x-festaf-model://nyc/delay")
FACT: dict[str, Any] = {
    "kind": "model_version",
    "project": "nyc",
    "model": "delay",
    "version": 3,
    "description": "Trees",
    "model_data": ["s3://lake/models/job/model.tar.gz"],
    "features": ["weather.wind"],
    "feature_sets": ["x-festaf://nyc/weather"],
    "training_set": "s3://lake/sets/delays/manifest.json",
    "training_set_name": "delays",
    "bundle_version": "guessed",
}


def attach(fact: dict[str, Any]) -> Any:
    events = OutletEventAccessors()
    events[DELAY].extra = {"festaf": fact}
    return attached_to(events, Worker("a" * 64, "dags", "v1"))


def test_a_registered_version_was_made_from_its_training_set_feature_sets_and_data() -> None:
    attached = attach(FACT)
    assert [(item.namespace, item.name) for item in inputs([], attached)] == [
        ("x-festaf-training-set://nyc", "delays"),
        ("x-festaf://nyc", "weather"),
        ("s3://lake", "models/job/model.tar.gz"),
    ]
    (output,) = outputs([DELAY], attached)
    assert (output.namespace, output.name) == ("x-festaf-model://nyc", "delay")
    assert output.facets["version"]["datasetVersion"] == "3"
    assert output.facets["documentation"]["description"] == "Trees"
    told = output.facets[MODEL_VERSION_FACET]["model_version"]
    assert (told["version"], told["logic_sha256"], told["bundle_version"]) == (3, "a" * 64, "v1")


def test_a_decision_reads_nothing_and_keeps_who_registered() -> None:
    attached = attach(FACT | {"event": "approved", "logic_sha256": "b" * 64})
    assert inputs([], attached) == ()
    (output,) = outputs([DELAY], attached)
    assert output.facets[MODEL_VERSION_FACET]["model_version"]["logic_sha256"] == "b" * 64


def test_what_was_made_elsewhere_is_told_with_what_is_known_but_not_as_this_tasks_code() -> None:
    attached = attach(FACT | {"event": "onboarded"})
    assert ("x-festaf://nyc", "weather") in [(item.namespace, item.name) for item in inputs([], attached)]
    (output,) = outputs([DELAY], attached)
    assert output.facets[MODEL_VERSION_FACET]["model_version"]["logic_sha256"] is None


def test_only_a_model_that_goes_as_a_whole_is_dropped() -> None:
    (version,) = outputs([DELAY], attach(FACT | {"event": "deleted"}))
    assert "lifecycleStateChange" not in version.facets
    (model,) = outputs(
        [DELAY], attach({"kind": "model_version", "project": "nyc", "model": "delay", "event": "deleted"})
    )
    assert model.facets["lifecycleStateChange"]["lifecycleStateChange"] == "DROP"
