"""The items of a body are read one by one, and as the whole would be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.errors import BadRequestError, UnreadableEventError
from festaf.registry_api.lineage.body import parse_items, parse_json

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


@pytest.mark.parametrize(
    "items",
    [[], [1, "a", None], [{"a": [1.5, {"b": "ü\n"}]}, [[]], 2**70, -(2**63)], [{"a": 1, "b": "\u2028\\"}]],
)
def test_items_are_those_of_the_array(items: list[Any]) -> None:
    for text in (json.dumps(items), json.dumps(items, indent=2), json.dumps(items, ensure_ascii=False)):
        found = parse_items(text.encode())

        assert list(found) == list(parse_json(text.encode())) == items
        assert len(found) == len(items)
        assert list(found[1:]) == items[1:]
    assert list(parse_items(json.dumps(items).encode("utf-16"))) == items


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b'[{"a": 1}',
        b"[1,]",
        b'[{"a": NaN}]',
        b'["\xff"]',
        b'["\\u0000"]',
        b"[1e999]",
        b"[" + b"9" * 309 + b"]",
        b'["\\ud800"]',
        b"[1] x",
    ],
)
def test_an_array_with_an_item_that_cannot_be_kept_is_refused_as_before(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_json(body)
    with pytest.raises(BadRequestError):
        list(parse_items(body))


def test_items_may_be_nested_as_deep_as_the_array_may() -> None:
    for depth in (98, 99, 100, 101, 102):
        body = b"[" * depth + b"1" + b"]" * depth
        answers: list[object] = []
        for read in (parse_json, lambda body: list(parse_items(body))):
            try:
                answers.append(read(body))
            except BadRequestError:
                answers.append(None)
        assert answers[0] == answers[1]


def test_what_is_no_array_is_no_batch() -> None:
    with pytest.raises(UnreadableEventError):
        parse_items(b'{"a": 1}')


def test_plain_json_that_is_said_to_be_compressed_is_refused_where_nothing_compressed_is_taken(
    registry: Registry,
) -> None:
    path, said = "/api/v1/features/nyc/delays/dep_delay", {"type": "Integral"}

    answer = registry.http.put(path, json=said, headers={"Content-Encoding": "gzip"})

    assert (answer.status_code, "'gzip' is not taken here" in answer.json()["detail"]) == (415, True)
    assert registry.http.get(path).status_code == 404
    assert registry.http.put(path, json=said, headers={"Content-Encoding": "identity"}).status_code == 200
