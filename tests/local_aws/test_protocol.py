"""Parsers, explanations and serialisers made from service models, those of a model of our own among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from festaf.local_aws.protocol.explaining import MalformedError, explain
from festaf.local_aws.protocol.message import Request
from festaf.local_aws.protocol.parsing import Parsers, UnfitError
from festaf.local_aws.protocol.patterns import matcher
from festaf.local_aws.protocol.router import Router, Scope, scope_of
from festaf.local_aws.protocol.serializing import Serializers

SHAPES: dict[str, Any] = {
    "Tree": {
        "type": "structure",
        "required": ["Name"],
        "members": {
            "Name": {"shape": "Name"},
            "Children": {"shape": "Trees"},
            "Planted": {"shape": "Time"},
            "Height": {"shape": "Height"},
            "Rings": {"shape": "Rings"},
            "Seed": {"shape": "Seed"},
            "Old": {"shape": "Flag"},
            "Labels": {"shape": "Labels"},
            "Kind": {"shape": "Kind"},
        },
    },
    "Trees": {"type": "list", "member": {"shape": "Tree"}, "max": 2},
    "Name": {"type": "string", "min": 1, "max": 8, "pattern": "[a-z]+"},
    "Time": {"type": "timestamp"},
    "Height": {"type": "double", "min": 0.5},
    "Rings": {"type": "long", "min": -1, "max": 1000},
    "Seed": {"type": "blob"},
    "Flag": {"type": "boolean"},
    "Labels": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Flag"}, "max": 1},
    "Kind": {"type": "string", "enum": ["Oak", "Ash"]},
}
MODEL = ServiceModel({"metadata": {"protocol": "json"}, "operations": {}, "shapes": SHAPES}, "trees")
TREE = MODEL.shape_for("Tree")

GROWN: dict[str, Any] = {
    "Name": "oak",
    "Children": [{"Name": "one"}, {"Name": "two", "Children": [{"Name": "three"}]}],
    "Planted": 86_400.5,
    "Height": 3,
    "Rings": 7,
    "Seed": "AAE=",
    "Old": True,
    "Labels": {"big": False},
    "Kind": "Oak",
}


def test_a_value_is_parsed_into_python_and_written_back() -> None:
    parsed = Parsers().of(TREE)(GROWN)
    planted = datetime(1970, 1, 2, 0, 0, 0, 500_000, tzinfo=UTC)
    assert parsed == {**GROWN, "Planted": planted, "Seed": b"\x00\x01"}
    assert Serializers().of(TREE)(parsed) == GROWN


def test_what_is_unknown_or_null_is_left_out_both_ways() -> None:
    odd = {"Name": "oak", "Colour": "green", "Kind": None}
    assert Parsers().of(TREE)(odd) == {"Name": "oak"}
    assert Serializers().of(TREE)(odd) == {"Name": "oak"}


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"Rings": 1}, "Value null at 'name' failed to satisfy constraint: Member must not be null"),
    "short": ({"Name": ""}, "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or"),
    "long": ({"Name": "a" * 9}, "Member must have length less than or equal to 8"),
    "pattern": ({"Name": "A"}, "Member must satisfy regular expression pattern: [a-z]+"),
    "line end": ({"Name": "a\n"}, "Member must satisfy regular expression pattern: [a-z]+"),
    "enum": (
        {"Name": "a", "Kind": "Elm"},
        "Value 'Elm' at 'kind' failed to satisfy constraint: Member must satisfy enum",
    ),
    "low": ({"Name": "a", "Height": 0.4}, "Member must have value greater than or equal to 0.5"),
    "below a negative": ({"Name": "a", "Rings": -2}, "Member must have value greater than or equal to -1"),
    "high": ({"Name": "a", "Rings": 1001}, "Member must have value less than or equal to 1000"),
    "many": ({"Name": "a", "Children": [{"Name": "b"}] * 3}, "at 'children' failed to satisfy constraint: Member must"),
    "crowded": ({"Name": "a", "Labels": {"b": True, "c": True}}, "at 'labels' failed to satisfy constraint"),
    "deep": (
        {"Name": "a", "Children": [{"Name": "b", "Children": [{"Name": "C"}]}]},
        "Value 'C' at 'children.1.member.children.1.member.name'",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_is_refused_and_explained(case: str) -> None:
    value, message = UNFIT[case]
    with pytest.raises(UnfitError):
        Parsers().of(TREE)(value)
    assert message in explain(TREE, value)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"Name": 1},
        {"Name": ["a"]},
        {"Name": "a", "Rings": True},
        {"Name": "a", "Rings": 1.5},
        {"Name": "a", "Height": "3"},
        {"Name": "a", "Old": 1},
        {"Name": "a", "Children": {}},
        {"Name": "a", "Labels": []},
        {"Name": "a", "Planted": "spring"},
        {"Name": "a", "Planted": 1e300},
        {"Name": "a", "Seed": "?"},
        {"Name": "a", "Seed": 5},
    ],
)
def test_a_value_of_another_type_is_malformed(value: Any) -> None:
    with pytest.raises(UnfitError):
        Parsers().of(TREE)(value)
    with pytest.raises(MalformedError):
        explain(TREE, value)


def test_a_text_that_fits_is_remembered_and_one_that_does_not_is_not() -> None:
    parse = Parsers().of(TREE)
    for _ in range(2):
        assert parse({"Name": "oak"}) == {"Name": "oak"}
        with pytest.raises(UnfitError):
            parse({"Name": "OAK"})


@pytest.mark.parametrize(
    "service", ["sagemaker", "sagemaker-featurestore-runtime", "sagemaker-runtime", "athena", "glue"]
)
def test_every_operation_of_a_real_model_can_be_compiled(service: str) -> None:
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    parsers, serializers = Parsers(), Serializers()
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.input_shape:
            parsers.of(operation.input_shape)
        if operation.output_shape:
            serializers.of(operation.output_shape)


def test_javas_pairs_of_surrogates_are_one_character() -> None:
    fits = matcher("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*")
    assert fits is not None
    assert fits("Wetter 🌦\t")
    assert not fits("line\nend")
    assert matcher(".*") is None


def test_region_and_service_are_read_from_a_header_or_a_signed_url() -> None:
    signed = (
        b"AWS4-HMAC-SHA256 Credential=key/20130101/eu-west-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
    )
    assert scope_of(Request("GET", "/", "", {b"authorization": signed})) == Scope("eu-west-1", "sagemaker")
    query = "X-Amz-Credential=key%2F20130101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    assert scope_of(Request("GET", "/bucket/key", query, {})) == Scope("eu-west-1", "s3")
    assert scope_of(Request("GET", "/", "", {})) == Scope("us-east-1", None)


def test_a_path_belongs_to_a_service_only_when_it_is_signed_for_it() -> None:
    name = "sagemaker-featurestore-runtime"
    model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    router = Router()
    router.add(model, model.operation_names)

    def found(method: str, path: str, service: str = "sagemaker") -> str | None:
        route = router.find(Request(method, path, "", {}), Scope(service=service))
        return route.operation.name if route else None

    assert found("PUT", "/FeatureGroup/weather") == "PutRecord"
    assert found("POST", "/FeatureGroup/weather/ListRecords") == "ListRecords"
    assert found("POST", "/FeatureGroup/weather/Record") == "UpdateRecord"
    assert found("POST", "/BatchWriteRecord") == "BatchWriteRecord"
    assert found("PUT", "/FeatureGroup/weather", service="s3") is None
    assert found("POST", "/endpoints/one/invocations") is None
    assert found("PATCH", "/FeatureGroup/weather") is None
