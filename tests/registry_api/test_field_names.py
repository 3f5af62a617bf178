"""A field whose name is empty or only spaces is passed over wherever standard facets name one, and kept as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.registry_api.events import Json, dataset, facet, feature_set, run_of, task_event

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

NAMES = ("", " ", "\t\n", "ok", " padded ")
NAMED = ("ok", " padded ")
NAMESPACE = "s3://raw"


def schema() -> Json:
    fields = [{"name": name, "type": "int", "fields": [{"name": inner} for inner in NAMES]} for name in NAMES]
    return facet(fields=fields)


def inputs(**more: Any) -> list[Json]:
    return [{"namespace": NAMESPACE, "name": "from", "field": name, **more} for name in NAMES]


def column_lineage() -> Json:
    return facet(fields={name: {"inputFields": inputs()} for name in NAMES}, dataset=inputs())


@pytest.fixture
def told(registry: Registry) -> Registry:
    """Give a registry that was told of such fields of a feature set and a table."""
    facets = {"schema": schema(), "columnLineage": column_lineage()}
    registry.post(task_event(outputs=(feature_set(**facets), dataset("table", **facets))))
    return registry


def test_a_feature_set_has_no_such_features(told: Registry) -> None:
    listed = told.get("/features")["items"]
    assert sorted(item["name"] for item in listed) == sorted(NAMED)
    assert {item["name"] for item in told.get("/search/features", q="delays")["items"]} == set(NAMED)
    assert [told.ask(f"/features/nyc/delays/{quote(name)}").status_code for name in (" ", "\t\n")] == [404, 404]


def test_nothing_is_made_of_such_columns(told: Registry) -> None:
    sources = told.get("/features/nyc/delays/ok")["sources"]
    assert [source["field"] for source in sources] == sorted(NAMED)
    graph = told.get("/features/nyc/delays/ok/lineage", direction="both")
    assert {node["field"] for node in graph["nodes"]} == {None, *NAMED}


def test_marquez_shapes_name_no_such_field(told: Registry) -> None:
    found = told.get(f"/namespaces/{quote(NAMESPACE, safe='')}/datasets/table")
    nested = [f"{outer}.{inner}" for outer in NAMED for inner in NAMED]
    assert sorted(field["name"] for field in found["fields"]) == sorted([*NAMED, *nested])
    assert [item["name"] for item in found["columnLineage"]] == sorted(NAMED)
    assert {item["field"] for field in found["columnLineage"] for item in field["inputFields"]} == set(NAMED)
    graph = told.get("/column-lineage", nodeId=f"dataset:{NAMESPACE}:table")["graph"]
    assert {node["data"]["field"] for node in graph} == set(NAMED)
    assert told.ask("/column-lineage", nodeId=f"datasetField:{NAMESPACE}:table: ").status_code == 404


def test_the_facets_are_kept_as_they_came(told: Registry) -> None:
    outputs = {item["name"]: item["facets"] for item in told.get(f"/runs/{run_of()}")["outputs"]}
    assert outputs["table"] == {"schema": schema(), "columnLineage": column_lineage()}
    assert outputs["delays"]["schema"] == schema()


def test_an_explicit_edge_of_such_a_column_is_one_of_its_dataset(registry: Registry) -> None:
    entry = {"namespace": NAMESPACE, "name": "table", "type": "DATASET", "inputs": inputs(type="DATASET")}
    fields = {name: {"inputs": inputs(type="DATASET")} for name in NAMES}
    said = {"lineage": facet(entries=[entry | {"fields": fields}])}
    registry.post(task_event(outputs=(dataset("table"),), job_facets=said))

    with registry.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, name, field FROM node WHERE kind IN ('dataset', 'field')")
        nodes = {tuple(row) for row in rows}
    columns = {("field", name, field) for name in ("from", "table") for field in NAMED}
    assert nodes == {("dataset", "from", None), ("dataset", "table", None), *columns}
