"""Packages are found by words and facts, page by page, and nobody learns of what they may not see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.dag_inspection import DagInspection
from festaf.contract.dag_package import Requires

if TYPE_CHECKING:
    from tests.registry_api.dag_packages.conftest import House


STOCKS = b"""from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset

with DAG("stocks", tags=["counted"], default_args={"owner": "stock-team"}):
    EmptyOperator(task_id="count", outlets=[Asset("s3://lake/stocks")])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def house_url(request: pytest.FixtureRequest) -> str:
    """Words are ranges of an index, whose order is the database's."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


def found(house: House, who: str = "ian", **asked: Any) -> list[str]:
    page = house.get("/dag-packages", who, **asked)
    assert page["cursor"] is None
    return [f"{item['namespace']}/{item['name']}" for item in page["items"]]


def test_packages_are_found_by_words_and_facts(house: House) -> None:
    house.publish(requires=Requires(airflow=">=3.1,<4", providers=("apache-airflow-providers-amazon>=9",)))
    house.publish(
        files={"stocks.py": STOCKS},
        name="stock-levels",
        summary="How much is left",
        readme=None,
        maturity="stable",
        tags=("money",),
        dags=(DagInspection(dag_id="stocks", file="stocks.py"),),
    )
    house.publish("max", namespace="other", name="hidden-sales")
    house.stage(name="unfinished")

    both = ["acme/sales", "acme/stock-levels"]
    assert found(house) == both
    for q, names in {
        "sal": ["acme/sales"],
        "Totals day": ["acme/sales"],
        "how MUCH": ["acme/stock-levels"],
        "stock": ["acme/stock-levels"],
        "nothing": [],
        "%": both,
        "'; DROP TABLE": [],
    }.items():
        assert found(house, q=q) == names, q
    for asked, names in (
        ({"airflow": "3.2.0"}, both),
        ({"airflow": "2.10.5"}, ["acme/stock-levels"]),
        ({"provider": "amazon"}, ["acme/sales"]),
        ({"provider": "apache-airflow-providers-amazon"}, ["acme/sales"]),
        ({"maturity": "stable"}, ["acme/stock-levels"]),
        ({"tag": "money"}, ["acme/stock-levels"]),
        ({"operator": "EmptyOperator"}, ["acme/stock-levels"]),
        ({"operator": "_PythonDecoratedOperator", "q": "total"}, ["acme/sales"]),
        ({"owner": "stock-team"}, ["acme/stock-levels"]),
        ({"asset": "s3://lake/stocks"}, ["acme/stock-levels"]),
        ({"dag_id": "sales"}, ["acme/sales"]),
        ({"tag": "counted"}, ["acme/stock-levels"]),
        ({"namespace": "other"}, []),
        ({"awaiting": True}, ["acme/unfinished"]),
    ):
        assert found(house, **asked) == names, asked
    assert found(house, "root", q="hidden") == ["other/hidden-sales"]
    assert found(house, "eve") == ["other/hidden-sales"]
    assert house.ask("ian", "GET", "/dag-packages", params={"airflow": "new"}).status_code == 400
    assert house.ask("ian", "GET", "/dag-packages", params={"cursor": "W10"}).status_code == 400
    assert house.ask("ian", "GET", "/dag-packages", params={"limit": -1}).status_code == 422


def test_pages_follow_each_other(house: House) -> None:
    names = [f"{word}-flow" for word in ("alpha", "bravo", "charlie", "delta", "echo")]
    for name in names:
        house.publish(name=name)
    seen, cursor = [], None
    while True:
        page = house.get("/dag-packages", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["name"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == names


def test_only_the_newest_published_version_is_found(house: House) -> None:
    house.publish(version="1.0", tags=("old",))
    house.publish(version="2.0", tags=("new",))
    house.publish(version="3.0rc1", tags=("coming",))
    assert [found(house, tag=tag) for tag in ("old", "new", "coming")] == [[], ["acme/sales"], []]
    house.step("ann", "yank", "acme/sales/2.0", reason="wrong")
    assert [found(house, tag=tag) for tag in ("old", "new")] == [["acme/sales"], []]
