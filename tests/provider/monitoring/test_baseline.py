"""A baseline is kept once: the first that is written stands, and who comes later gets that one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from festaf.provider.errors import InputError
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.provider.monitoring.baseline import keep, read_kept
from festaf.provider.monitoring.store import Store, below
from tests.feature_store import BUCKET
from tests.provider.monitoring.test_page import column, statistics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws.server import LocalAws


@pytest.fixture(params=["s3", "path", "file"])
def uri(request: pytest.FixtureRequest, aws: LocalAws, tmp_path: Path) -> str:
    place = tmp_path / "deep" / "baseline.json"
    return {"s3": f"s3://{BUCKET}/deep/baseline.json", "path": str(place), "file": place.as_uri()}[request.param]


def test_the_first_stands(uri: str) -> None:
    store = Store(FeatureStoreHook())
    assert read_kept(store, uri) is None
    first, second = statistics(column("x"), rows=1), statistics(column("x"), rows=2)
    assert keep(store, uri, first) == first
    assert keep(store, uri, second) == first
    assert read_kept(store, uri) == first


def test_a_lost_reply_of_the_write_changes_nothing(aws: LocalAws) -> None:
    store, uri = Store(FeatureStoreHook()), f"s3://{BUCKET}/baseline.json"
    aws.fault(operation="PutObject", kind="lost_reply", count=1)
    first = statistics(column("x"), rows=1)
    assert keep(store, uri, first) == first


def test_what_is_no_baseline_is_refused(uri: str) -> None:
    store = Store(FeatureStoreHook())
    kept = {"sha256": "a" * 64, "statistics": statistics(column("x")).model_dump(mode="json")}
    for content, reason in (
        (b"PAR1", "is no JSON"),
        (b"[1]", "holds a list"),
        (b'{"model": 1}', "is no baseline: it holds model"),
        (b'{"statistics": {}, "sha256": "x"}', "is no baseline"),
        (json.dumps(kept).encode(), "was changed after it was made"),
    ):
        store.write(uri, content, "application/json")
        with pytest.raises(InputError, match=reason):
            read_kept(store, uri)


@pytest.mark.parametrize("place", ["gs://bucket/key", "s3://bucket", "s3:///key"])
def test_a_place_that_is_none_is_refused(aws: LocalAws, place: str) -> None:
    with pytest.raises(InputError, match="is no place"):
        Store(FeatureStoreHook()).read(place)


def test_names_below_a_folder_are_joined_once() -> None:
    assert below("s3://lake/reports/", "planes", "latest.html") == "s3://lake/reports/planes/latest.html"
