"""Every operation that the local AWS answers itself, held against botocore's models.

An answer has the members that the model requires and no others, of its types, enumerations, patterns and sizes. What
is not there, what is there already and what cannot be are refused with an error that the model documents for the
operation, or with the validation error that every operation has. An operation without a case fails the suite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.local_aws.conformance import feature_store, machines, queries, registry
from tests.local_aws.conformance.case import World
from tests.local_aws.conformance.shapes import answer_problems
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape

    from tests.local_aws.conformance.case import Asked, Case

CASES = [*feature_store.CASES, *registry.CASES, *machines.CASES, *queries.CASES]
KNOWN = {"DescribeModelPackage.ModelPackageName is missing"}
"""AWS gives a version of a group no name, whatever the model says: its events and its SDK's issue 5606 show it."""
VALIDATION = {"json": "ValidationException", "rest-json": "ValidationError"}
"""The error that every operation has besides those of its model, by protocol."""

_LOADER = Loader()


def model_of(case: Case) -> OperationModel:
    """Give botocore's model of an operation."""
    return ServiceModel(_LOADER.load_service_model(case.service, "service-2"), case.service).operation_model(
        case.operation
    )


def each(*cases: Case) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case.operation for case in cases])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Run a server of its own, since its cases build on each other's."""
    with LocalAws.started() as server:
        yield World(server)


def test_every_operation_has_one_case(local_aws: LocalAws) -> None:
    operations = httpx.get(f"{local_aws.url}/_local/operations").json()["operations"]
    mounted = {(service, operation) for service, names in operations.items() for operation in names}
    known = [(case.service, case.operation) for case in CASES]
    assert set(known) == mounted
    assert len(known) == len(mounted)


@each(*[case for case in CASES if case.refused is None])
def test_the_answer_is_what_the_model_says(world: World, case: Case) -> None:
    world.ask(case.service, case.operation, case.asked(world))
    assert [problem for problem in world.problems() if problem not in KNOWN] == []


@each(*[case for case in CASES if case.refused is not None])
def test_what_only_stands_to_be_refused_is(world: World, case: Case) -> None:
    assert refused(world, case, case.asked(world)) == case.refused


@each(*[case for case in CASES if not isinstance(case.absent, str)])
def test_what_is_not_there_is_refused_as_documented(world: World, case: Case) -> None:
    asked, code = case.absent
    assert refused(world, case, dict(asked)) == code  # type: ignore[arg-type]  # It is no reason but a request.


@each(*[case for case in CASES if case.operation.startswith(("Create", "Add"))])
def test_what_is_there_already_is_refused_as_documented(world: World, case: Case) -> None:
    assert case.twice is not None, "a creation says what happens the second time"
    asked = case.asked(world)
    first = world.ask(case.service, case.operation, asked)
    if case.twice not in ("same", "other"):
        assert refused(world, case, asked) == case.twice
        return
    second = world.ask(case.service, case.operation, asked)
    assert (_content(second) == _content(first)) == (case.twice == "same")


@each(*CASES)
def test_what_breaks_the_model_is_a_validation_error(world: World, case: Case) -> None:
    model = model_of(case)
    asked = broken(model, case.asked(world))
    assert refused(world, case, asked) == VALIDATION[model.service_model.protocol]


def refused(world: World, case: Case, asked: Asked) -> str:
    """Give the code of the error that a call ends in; it is documented, and has the documented HTTP status."""
    model = model_of(case)
    with pytest.raises(ClientError) as raised:
        world.ask(case.service, case.operation, asked)
    answer = raised.value.response
    code, status = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
    documented = {shape.name: shape.metadata.get("error", {}) for shape in model.error_shapes}
    assert code in {*documented, VALIDATION[model.service_model.protocol]}, answer["Error"]
    assert status == documented.get(code, {}).get("httpStatusCode", 400)
    assert answer["Error"]["Message"]
    return str(code)


def broken(model: OperationModel, asked: Asked) -> Asked:
    """Break a request that works: leave out what is required, or give a member a value beyond its bounds."""
    shape = model.input_shape
    payload = shape.serialization.get("payload")
    # boto3 fills in a token itself, and makes no request without what stands in the path.
    kept = {payload, *(one for one, member in shape.members.items() if member.serialization.get("location") == "uri")}
    kept |= set(model.idempotent_members)
    if required := [name for name in shape.required_members if name not in kept]:
        return {name: value for name, value in asked.items() if name != required[0]}
    for name, member in shape.members.items():
        if name != payload and (beyond := _beyond(member)) is not None:
            return {**asked, name: beyond}
    raise AssertionError(f"{model.name} takes whatever it is given")


def _beyond(shape: Shape) -> Any:
    if shape.type_name == "string" and shape.enum:
        return "nonsense"
    most = shape.metadata.get("max")
    if most is None or shape.type_name not in ("string", "integer"):
        return None
    return "x" * (most + 1) if shape.type_name == "string" else most + 1


def _content(answer: Asked) -> Asked:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{}", "ListTags.Tags"),
        (b'{"Tags": [{"Key": "a"}]}', "ListTags.Tags[0].Value is missing"),
        (b'{"Tags": [{"Key": "", "Value": "b"}]}', "ListTags.Tags[0].Key has the size 0"),
        (b'{"Tags": [{"Key": "*", "Value": "b"}]}', "ListTags.Tags[0].Key is '*', which does not fit"),
        (b'{"Tags": [{"Key": 1, "Value": "b"}]}', "ListTags.Tags[0].Key is 1, not a string"),
        (b'{"Tags": null}', "ListTags.Tags is None, not a list"),
        (b'{"Labels": []}', "ListTags.Labels is not in the model"),
    ],
)
def test_the_suite_sees_what_is_wrong(body: bytes, problem: str) -> None:
    model = ServiceModel(_LOADER.load_service_model("sagemaker", "service-2"), "sagemaker").operation_model("ListTags")
    found = answer_problems(model, {}, body)
    if body == b"{}":
        assert found == []
    else:
        assert any(one.startswith(problem) for one in found), found
