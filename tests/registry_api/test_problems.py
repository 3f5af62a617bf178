"""What the registry answers when it fails itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from festaf.registry_api.features.listing import FeatureListing

if TYPE_CHECKING:
    import pytest

    from tests.registry_api.conftest import Registry


def test_a_failure_says_that_it_ends_the_connection_and_nothing_of_what_failed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(FeatureListing, "page", fail)
    http = TestClient(
        registry.http.app, raise_server_exceptions=False, base_url="http://127.0.0.1", client=("127.0.0.1", 1)
    )

    answer = http.get("/api/v1/features")

    assert (answer.status_code, answer.headers["Connection"]) == (500, "close")
    assert answer.json()["detail"] == "the registry failed; its log says why"
