"""What Marquez's web page, opened on the registry, turned out to need."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.registry_api.events import facet
from tests.registry_api.marquez.shop import BUCKET, POSTGRES, dataset, event, shop

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def test_the_web_page_shows_the_quality_that_a_check_found(registry: Registry) -> None:
    """Checks such as dbt's read a dataset, and say with the input what they found."""
    failed = facet(assertions=[{"assertion": "unique", "column": "id", "success": False}])
    found = {"dataQualityAssertions": failed, "dataQualityMetrics": facet(rowCount=3), "inputStatistics": facet(size=9)}
    orders = dataset("orders", POSTGRES, schema=facet(fields=[{"name": "id", "type": "int"}]))
    registry.post(
        event("COMPLETE", "load", 0, 1, outputs=(orders,)),
        event("COMPLETE", "check", 1, 2, inputs=({**dataset("orders", POSTGRES), "inputFacets": found},)),
    )

    (listed,) = registry.get(f"/namespaces/{quote(POSTGRES, safe='')}/datasets")["datasets"]
    alone = registry.get(f"/namespaces/{quote(POSTGRES, safe='')}/datasets/orders")

    assert listed["facets"] == alone["facets"]
    assert alone["facets"].keys() == {"schema", "dataQualityAssertions", "dataQualityMetrics"}
    assert alone["facets"]["dataQualityAssertions"] == failed


def test_a_depth_beyond_a_bound_is_the_bound(registry: Registry) -> None:
    """The web page has a field for the depth, and asks at each digit."""
    registry.post(*shop())
    node = f"dataset:{BUCKET}:a/b"

    for path, asked in (("/lineage", {"nodeId": node}), ("/column-lineage", {"nodeId": node, "withDownstream": True})):
        assert registry.get(path, **asked, depth=500) == registry.get(path, **asked, depth=100)
        assert registry.get(path, **asked, depth=-1) == registry.get(path, **asked, depth=0)
    assert registry.get("/lineage", nodeId=node, depth=0) != registry.get("/lineage", nodeId=node, depth=1)


def test_a_run_that_only_says_that_it_is_running_has_a_start(registry: Registry) -> None:
    """The web page shows no start as the first of January 1970."""
    registry.post(
        event("RUNNING", "stream", 1, 1),
        event("RUNNING", "stream", 2, 1),
        event("COMPLETE", "load", 1, 2),
        event("OTHER", "noted", 1, 3),
    )

    jobs = registry.get("/jobs")["jobs"]
    runs = {job["name"]: [job["latestRun"], *job["latestRuns"]] for job in jobs}

    assert {name: [(run["state"], run["startedAt"]) for run in found] for name, found in runs.items()} == {
        "stream": [("RUNNING", "2026-03-01T00:01:00Z")] * 2,
        "load": [("COMPLETED", None)] * 2,
        "noted": [("NEW", None)] * 2,
    }
    assert [run["createdAt"] for run in runs["stream"]] == ["2026-03-01T00:01:00Z"] * 2
