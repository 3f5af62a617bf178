"""Events of a training set, a model and an endpoint, as their tasks send them."""

from __future__ import annotations

from typing import Any

from festaf.contract.names import artifact_dataset
from tests.registry_api.events import Json, at, dataset, facet, feature_set, task_event

TRAINING_DAG = "flights_training"


def artifact(kind: Any, name: str, *, facets: Json | None = None, outputs: Json | None = None) -> Json:
    named = artifact_dataset(kind, "nyc", name)
    found: Json = {"namespace": named.namespace, "name": named.name, "facets": facets or {}}
    return found | ({"outputFacets": outputs} if outputs else {})


def training_set(*features: str, day: int = 0) -> Json:
    """Give a task that builds the training set ``late`` from features of ``delays``."""
    use = {
        "project": "nyc",
        "feature_set": "delays",
        "arn": "arn:delays",
        "created_at": at(0).isoformat(),
        "version": "0" * 64,
        "table": "db.delays",
        "record_identifier": "id",
        "event_time": "at",
        "entity_column": "id",
        "point_in_time": True,
        "features": list(features),
        "rows_matched": 9,
        "rows_unmatched": 0,
    }
    columns = [
        {"name": name, "type": "double", "role": "feature", "feature_set": "delays", "feature": name}
        for name in features
    ]
    written = {
        "project": "nyc",
        "training_set": "late",
        "build": f"b{day}",
        "uri": "s3://sets/late",
        "manifest": "s3://sets/late/manifest.json",
        "manifest_sha256": "1" * 64,
        "snapshot": at(100 + day * 24 * 60).isoformat(),
        "rows": 9,
        "entities": {"kind": "table", "text": "db.flights"},
        "columns": columns,
        "feature_sets": [use],
    }
    lineage = {
        name: {"inputFields": [{"namespace": "x-festaf://nyc", "name": "delays", "field": name}]} for name in features
    }
    output = artifact(
        "training-set",
        "late",
        facets={"columnLineage": facet(fields=lineage)},
        outputs={"festaf_training_set": facet(training_set=written)},
    )
    return task_event(
        task="build", dag_id=TRAINING_DAG, day=day, minutes=110, inputs=(feature_set(),), outputs=(output,)
    )


def registered(*features: str, version: int = 1, day: int = 0, event: str = "registered", **said: Any) -> Json:
    """Give a task that registers a version of the model ``delay``, or decides on it."""
    fact = {"event": event, "project": "nyc", "model": "delay", "version": version, **said}
    inputs: tuple[Json, ...] = ()
    if event == "registered":
        fact |= {"features": list(features), "training_set_name": "late", "approval": "PendingManualApproval"}
        fact |= {"feature_sets": ["x-festaf://nyc/delays"]}
        inputs = (artifact("training-set", "late"), feature_set())
    output = artifact("model", "delay", facets={"festaf_model_version": facet(model_version=fact)})
    minutes = 120 if event == "registered" else 130
    return task_event(task=event, dag_id=TRAINING_DAG, day=day, minutes=minutes, inputs=inputs, outputs=(output,))


def deployed(version: int = 1, day: int = 0) -> Json:
    """Give a task that deploys a version of the model to the endpoint ``live``."""
    package = f"arn:aws:sagemaker:eu-west-1:1:model-package/delay/{version}"
    said = {
        "project": "nyc",
        "endpoint": "live",
        "action": "updated",
        "owner": "team:serving",
        "variants": [{"name": "main", "model_package": package}],
    }
    output = artifact("endpoint", "live", facets={"festaf_endpoint": facet(endpoint=said)})
    return task_event(
        task="deploy",
        dag_id="flights_serving",
        day=day,
        minutes=140,
        inputs=(artifact("model", "delay"),),
        outputs=(output,),
    )


def report() -> Json:
    """Give a task that reads the whole set, but makes its output from ``arr_delay`` alone."""
    source = {"namespace": "x-festaf://nyc", "name": "delays", "field": "arr_delay"}
    lineage = facet(fields={"mean": {"inputFields": [source]}})
    return task_event(
        task="report",
        dag_id="flights_reports",
        minutes=150,
        inputs=(feature_set(),),
        outputs=(dataset("report", "s3://out", columnLineage=lineage),),
    )
