"""What is drawn around a dataset or its columns in Marquez's shapes, and by which names that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.events import dataset as plain_dataset
from tests.registry_api.events import declaration, facet, task_event, written
from tests.registry_api.marquez import shapes
from tests.registry_api.marquez.shapes import fitting, path_of

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def test_a_dataset_that_is_only_the_end_of_an_edge_is_given_without_fields(registry: Registry) -> None:
    sources = ["s3://raw/tides.parquet"]
    registry.post(task_event(outputs=(written(declaration(sources=sources)),)))
    path = f"/namespaces/{path_of('s3://raw')}/datasets/tides.parquet"

    found = registry.get(path)

    assert (found["name"], found["sourceName"], found["fields"]) == ("tides.parquet", "default", [])
    assert registry.http.delete(f"/api/v1{path}").status_code == 200
    assert registry.ask(path).status_code == 404
    assert registry.ask(path.replace("tides", "waves")).status_code == 404


def test_a_column_that_only_column_lineage_names_can_be_asked_for(registry: Registry) -> None:
    """dbt names its seeds nowhere else."""
    source = {"namespace": "duckdb", "name": "raw_orders", "field": "amount"}
    lineage = facet(fields={"amount": {"inputFields": [source]}}, dataset=[])
    registry.post(task_event(outputs=(plain_dataset("orders", "duckdb", columnLineage=lineage),)))

    (end,) = [
        node for node in registry.get("/column-lineage", nodeId="dataset:duckdb:orders")["graph"] if node["inEdges"]
    ]
    seed = end["inEdges"][0]["destination"]
    asked = registry.get("/column-lineage", nodeId=seed, withDownstream=True)
    alone = registry.get("/lineage", nodeId="dataset:duckdb:raw_orders")

    assert seed == "datasetField:duckdb:raw_orders:amount"
    assert {node["id"] for node in asked["graph"]} == {seed, end["id"]}
    assert [(node["id"], fitting(node["data"], shapes.DATASET_NODE)["fields"]) for node in alone["graph"]] == [
        ("dataset:duckdb:raw_orders", [])
    ]
    assert registry.ask("/lineage", nodeId="dataset:duckdb:raw_customers").status_code == 404
    assert registry.http.delete("/api/v1/namespaces/duckdb/datasets/raw_orders").status_code == 200
    assert registry.ask("/lineage", nodeId="dataset:duckdb:raw_orders").status_code == 404


def test_what_a_reader_says_of_columns_counts_only_until_a_writer_does(registry: Registry) -> None:
    def fields() -> list[str]:
        return [item["name"] for item in registry.get("/namespaces/duckdb/datasets/drivers")["fields"]]

    def said(minutes: int, side: str, *names: str) -> dict[str, Any]:
        schema = facet(fields=[{"name": name, "type": "int"} for name in names])
        named = (plain_dataset("drivers", "duckdb", schema=schema),)
        return task_event(dag_id=f"at_{minutes}", minutes=minutes, **{side: named})

    registry.post(said(1, "inputs", "rate"), said(3, "inputs", "trips"))
    assert fields() == ["trips"]
    registry.post(said(2, "outputs", "rate", "trips"))
    assert fields() == ["rate", "trips"]
    registry.post(said(4, "inputs", "rate"))
    assert fields() == ["rate", "trips"]
    registry.post(said(5, "outputs", "rate", "trips", "days"))
    assert fields() == ["rate", "trips", "days"]


def test_a_column_of_which_no_lineage_is_known_has_an_empty_graph(registry: Registry) -> None:
    """As in Marquez, which knows a column by the dataset's fields."""
    fields = [{"name": "id", "type": "int"}]
    registry.post(task_event(outputs=(plain_dataset("orders", "duckdb", schema=facet(fields=fields)),)))

    assert registry.get("/column-lineage", nodeId="datasetField:duckdb:orders:id")["graph"] == []
    assert registry.ask("/column-lineage", nodeId="datasetField:duckdb:orders:other").status_code == 404


def test_a_dataset_is_found_by_each_of_its_names(registry: Registry) -> None:
    """Spark writes files, and says in ``symlinks`` which table they are."""
    hive, files = "hive://metastore:9083", "s3://raw"
    table = facet(identifiers=[{"namespace": hive, "name": "db.sales", "type": "TABLE"}])
    fields = facet(fields=[{"name": "total", "type": "double"}])
    columns = {"total": {"inputFields": [{"namespace": files, "name": "orders", "field": "amount"}]}}
    lineage = facet(fields=columns, dataset=[])
    registry.post(
        task_event(
            inputs=(plain_dataset("orders"),),
            outputs=(plain_dataset("sales", symlinks=table, schema=fields, columnLineage=lineage),),
        )
    )
    by_file, by_table = f"/namespaces/{path_of(files)}/datasets/sales", f"/namespaces/{path_of(hive)}/datasets/db.sales"

    assert registry.get(by_table) == registry.get(by_file)
    assert registry.get(f"{by_table}/versions") == registry.get(f"{by_file}/versions")
    for path, asked in (("/lineage", {}), ("/column-lineage", {"withDownstream": True})):
        found = registry.get(path, nodeId=f"dataset:{files}:sales", **asked)
        assert registry.get(path, nodeId=f"dataset:{hive}:db.sales", **asked) == found
        assert len(found["graph"]) > 1
    column = registry.get("/column-lineage", nodeId=f"datasetField:{files}:sales:total")
    assert registry.get("/column-lineage", nodeId=f"datasetField:{hive}:db.sales:total") == column

    assert registry.http.post(f"/api/v1{by_table}/tags/GOLD").json()["tags"] == ["GOLD"]
    assert registry.get(by_file)["tags"] == ["GOLD"]
    assert registry.http.delete(f"/api/v1{by_table}").status_code == 200
    assert registry.ask(by_file).status_code == registry.ask(by_table).status_code == 404


def test_column_lineage_is_listed_by_name_in_whichever_order_it_came(registry: Registry) -> None:
    body = {"inputFields": [{"namespace": "s3://raw", "name": "orders", "field": "amount"}]}
    lineage = facet(fields={"total": body, "count": body}, dataset=[])
    registry.post(task_event(outputs=(plain_dataset("sales", columnLineage=lineage),)))

    found = registry.get(f"/namespaces/{path_of('s3://raw')}/datasets/sales")["columnLineage"]

    assert [item["name"] for item in found] == ["count", "total"]
