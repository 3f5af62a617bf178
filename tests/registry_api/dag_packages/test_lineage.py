"""A feature's answer links the package whose code wrote its values, on whichever Airflow that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.roles import Role
from festaf.sharing.names import bundle_version
from tests.registry_api.dag_packages.conftest import NOW
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.dag_packages.conftest import House


def report(house: House, version: str) -> None:
    event = task_event(outputs=(written(RICH),))
    event["job"]["facets"]["festaf_dag"]["dag"]["bundle_version"] = version
    answer = house.ask("root", "POST", "/lineage", json=event)
    assert answer.status_code == 201, answer.text


def package_of(house: House, who: str = "root") -> Any:
    return house.get("/features/nyc/delays/dep_delay", who)["package"]


def test_the_digest_in_the_bundle_version_names_the_package(house: House) -> None:
    published = house.publish()
    report(house, bundle_version("1.4.0", published["digest"]))
    with house.database.writing() as session:
        ProjectService(session, NOW).ensure(["nyc"], "test")
        PrincipalService(session, NOW).grant("nyc", Kind.USER, "eve", Role.READ, "test")
        PrincipalService(session, NOW).grant("nyc", Kind.USER, "ian", Role.READ, "test")

    answer = house.get("/features/nyc/delays/dep_delay", "ian")
    assert answer["package"] == {
        "namespace": "acme",
        "name": "sales",
        "version": "1.4.0",
        "digest": published["digest"],
        "href": "/api/v1/dag-packages/acme/sales/1.4.0",
    }
    assert answer["origins"]["package"] == answer["origins"]["run"]
    assert house.ask("ian", "GET", answer["package"]["href"].removeprefix("/api/v1")).status_code == 200
    hidden = house.get("/features/nyc/delays/dep_delay", "eve")
    assert hidden["package"] is None
    assert "package" not in hidden["origins"]


@pytest.mark.parametrize("version", ["abc", f"1.4.1-{'0' * 32}", f"1.4.0-{'0' * 32}", "../x-" + "0" * 32, "x" * 5_000])
def test_any_other_bundle_version_names_nothing(house: House, version: str) -> None:
    house.publish()
    report(house, version)
    assert package_of(house) is None


def test_what_was_counted_is_told_to_operators(house: House) -> None:
    house.publish()
    house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive")
    metrics = house.http.get("/metrics").text
    assert 'festaf_registry_dag_archives_total{direction="staged"} 1.0' in metrics
    assert 'festaf_registry_dag_archives_total{direction="fetched"} 1.0' in metrics
