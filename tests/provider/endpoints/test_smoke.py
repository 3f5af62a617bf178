from __future__ import annotations

from typing import Any

import pytest

from festaf.provider.endpoints.given import given
from festaf.provider.endpoints.smoke import SmokeRequest
from festaf.provider.errors import InputError
from festaf.provider.hooks.endpoint import Answer


def positive(text: str) -> bool | str:
    return True if float(text) > 0 else f"{text} is not positive"


def asserting(text: str) -> None:
    assert text == "1", "it is not 1"


def wrong(body: str, **expected: Any) -> str | None:
    request = SmokeRequest(payload="1", **expected)
    request.check()
    return request.wrong(Answer(body.encode()))


def test_an_answer_without_expectation_is_as_expected() -> None:
    assert wrong("whatever") is None


def test_text_must_be_contained() -> None:
    assert wrong("a delay of 3", contains="delay") is None
    assert wrong("error", contains="delay") == "the answer does not contain 'delay': 'error'"


@pytest.mark.parametrize(
    ("body", "schema", "said"),
    [
        ("[1.5]", {"type": "array", "items": {"type": "number"}, "minItems": 1}, None),
        ("[true]", {"type": "array", "items": {"type": "number"}}, "the answer[0] is True, not of type number"),
        ("[]", {"type": "array", "minItems": 1}, "the answer is [], against minItems 1"),
        ('{"p": 2}', {"properties": {"p": {"maximum": 1}}}, "the answer.p is 2, against maximum 1"),
        ("{}", {"type": "object", "required": ["p"]}, "the answer has no 'p'"),
        ('"no"', {"enum": ["yes"]}, "the answer is 'no', none of ['yes']"),
        ("1.5,2", {"type": "array"}, "the answer is no JSON: '1.5,2'"),
    ],
)
def test_a_schema_must_fit(body: str, schema: dict[str, Any], said: str | None) -> None:
    assert wrong(body, schema=schema) == said


def test_a_function_may_judge() -> None:
    assert wrong("3", check_with=f"{__name__}.positive") is None
    assert wrong("-3", check_with=f"{__name__}:positive") == "-3 is not positive"
    assert str(wrong("2", check_with=f"{__name__}.asserting")).startswith("it is not 1")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"payload": 1, "schema": {"tpye": "array"}}, "keyword 'tpye' is not known"),
        ({"payload": 1, "schema": {"items": {"type": "list"}}}, "type 'list' is none of"),
        ({"payload": 1, "check_with": "no.such.function"}, "cannot be imported"),
        ({"payload": 1, "check_with": "sys.path"}, "is no function"),
        ({"payload": 1, "exepcted": "x"}, "SmokeRequest has no 'exepcted'"),
        ({}, "is no SmokeRequest"),
        ("text", "is no SmokeRequest"),
    ],
)
def test_a_mistake_is_one_clear_sentence(request_: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        given(SmokeRequest, request_).check()
    assert said in str(caught.value)
