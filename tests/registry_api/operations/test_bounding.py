"""A JSON body that is too large is refused before it is read, also when it comes in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.registry_api.settings import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.conftest import Registry

JSON = {"Content-Type": "application/json"}


def chunks(count: int) -> Iterator[bytes]:
    """Give the beginning of a JSON text that never ends, a mebibyte at a time."""
    yield b'{"name": "'
    for _ in range(count):
        yield b"x" * MEBIBYTE


@pytest.mark.parametrize("path", ["/api/v1/feature-requests", "/api/v1/lineage"])
def test_a_body_in_chunks_is_refused_when_it_passes_the_bound(registry: Registry, path: str) -> None:
    answer = registry.http.post(path, content=chunks(17), headers=JSON)

    assert answer.status_code == 413
    assert "larger than 16777216 bytes" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_within_the_bound_is_read(registry: Registry) -> None:
    wish = {"name": "gust_max", "project": "nyc", "purpose": "gusts close runways"}

    assert registry.http.post("/api/v1/feature-requests", json=wish).is_success
