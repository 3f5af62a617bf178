"""What no path of a URL could ask for: an event that names it is kept, and it is no feature set and no feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from festaf.contract.names import can_be_asked_for
from festaf.registry_api.lineage.rebuild import rebuild
from tests.registry_api.events import RICH, Json, declaration, defined, facet, feature_set, run_of, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

NAMES = (".", "..", " ", "\ufffd")
SCHEMA = facet(fields=[{"name": name, "type": "double"} for name in (*NAMES, "a/b", "ok")])
COLUMNS = facet(
    fields={
        "ok": {"inputFields": [{"namespace": "x-festaf://nyc", "name": name, "field": "f"} for name in NAMES]},
        **{name: {"inputFields": [{"namespace": "s3://raw", "name": "x", "field": "f"}]} for name in NAMES},
    }
)


def asked(registry: Registry) -> dict[str, Any]:
    """Ask for everything that could name such a set or feature."""
    return {
        "features": registry.get("/features")["items"],
        "found": registry.get("/search/features", q="")["items"],
        "graph": registry.get("/features/nyc/delays/ok/lineage", direction="both", depth=9),
        "run": registry.get(f"/runs/{run_of()}"),
        "datasets": registry.get(f"/namespaces/{quote('x-festaf://nyc', safe='')}/datasets")["datasets"],
    }


def said(name: str) -> tuple[Json, ...]:
    """Give a feature set of that name in each way in which an event can speak of one."""
    called = {"project": "nyc", "feature_set": name, "features": [RICH]}
    return (
        written(RICH, name=name),
        defined(RICH, name=name),
        feature_set(name, schema=SCHEMA),
        feature_set(name, festaf_declaration=facet(declaration=called)),
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_of_such_a_name_is_no_feature_set(registry: Registry, name: str) -> None:
    assert not can_be_asked_for(name)
    for number, output in enumerate(said(name)):
        registry.post(task_event(task=f"task{number}", outputs=(output,)))

    assert registry.get("/features")["items"] == []
    assert registry.get("/search/features", q="delay")["items"] == []
    for number, output in enumerate(said(name)):
        told = registry.get(f"/runs/{run_of(f'task{number}')}")["outputs"]
        assert [(item["namespace"], item["name"]) for item in told] == [("x-festaf://nyc", name)]
        assert told[0]["facets"] == output["facets"] | output.get("outputFacets", {})
    shown = registry.get("/lineage", nodeId=f"dataset:x-festaf://nyc:{name}", depth=2)["graph"]
    assert {node["type"] for node in shown} == {"DATASET", "JOB"}


def test_a_feature_set_has_no_features_of_such_names(registry: Registry) -> None:
    strange = [declaration(name, owner="ann") for name in (*NAMES, "a/b")]
    registry.post(
        task_event(outputs=(feature_set(schema=SCHEMA, columnLineage=COLUMNS),)),
        task_event(task="write", minutes=11, outputs=(written(*strange, declaration("ok", owner="ann")),)),
        task_event(task="define", minutes=12, outputs=(defined(*strange, declaration("ok", owner="ann")),)),
    )

    assert [item["name"] for item in registry.get("/features")["items"]] == ["ok"]
    assert [item["name"] for item in registry.get("/search/features", q="delays")["items"]] == ["ok"]
    assert registry.feature("ok")["who"]["owner"] == "ann"
    graph = registry.get("/features/nyc/delays/ok/lineage")["nodes"]
    made_of = {
        (node["kind"], node["name"]) for node in graph if node["distance"] == -1 and node["kind"] != "feature_set"
    }
    assert made_of == {("field", name) for name in NAMES}


def test_a_rebuild_says_the_same_of_such_names(registry: Registry) -> None:
    outputs = [feature_set(schema=SCHEMA, columnLineage=COLUMNS), *(item for name in NAMES for item in said(name))]
    for number, output in enumerate(outputs):
        registry.post(task_event(task=f"task{number}" if number else "ingest", minutes=10 + number, outputs=(output,)))
    before = asked(registry)

    rebuild(registry.database, lambda _done, _total: None)

    assert asked(registry) == before
    assert [item["name"] for item in before["features"]] == ["ok"]
