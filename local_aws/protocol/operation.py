"""One operation of a service model: how its request is read and its answer written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from festaf.local_aws.protocol.errors import Dialect, error, request_id
from festaf.local_aws.protocol.explaining import MALFORMED, MalformedError, explain
from festaf.local_aws.protocol.message import Answer, Headers, Request
from festaf.local_aws.protocol.parsing import Parsers, UnfitError
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

    from festaf.local_aws.protocol.serializing import Serializers

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

VALIDATION = {"json": "ValidationException", "rest-json": "ValidationError"}
"""What AWS calls a request that breaks the model's constraints, by protocol of the SageMaker services."""


class Operation:
    """Reads and writes one operation; made once, so that no request walks the model."""

    def __init__(self, model: OperationModel, parsers: Parsers, serializers: Serializers) -> None:
        self.name: str = model.name
        self.service: str = model.service_model.service_name
        self.dialect: Dialect = "rest-json" if model.service_model.protocol == "rest-json" else "json"
        self._input: Shape | None = model.input_shape
        self._parse = parsers.of(model.input_shape) if model.input_shape else None
        self._write = serializers.of(model.output_shape) if model.output_shape else None
        self._located = self.dialect == "rest-json" and model.input_shape is not None
        self.paged = _is_paged(model)
        self._queries = _located(model.input_shape, "querystring") if self._located else {}
        self._labels = _located(model.input_shape, "uri") if self._located else {}
        self._status: int = model.http.get("responseCode", 200)
        self._errors = {shape.name: _error_status(shape) for shape in model.error_shapes}
        content = b"application/json" if self.dialect == "rest-json" else b"application/x-amz-json-1.1"
        self._content_type = (b"content-type", content)

    def parse(self, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
        """Read and check the parameters.

        :raises ApiError: they break a constraint of the model, or are not what the protocol asks for
        """
        if self._parse is None or self._input is None:
            return {}
        value = self._body(request.body)
        if self._located:
            value |= self._from_url(request.query, labels)
        try:
            parsed: dict[str, Any] = self._parse(value)
        except UnfitError:
            raise self._complaint(value) from None
        return parsed

    def answer(self, result: Mapping[str, Any]) -> Answer:
        """Write what a handler returned."""
        body = b""
        if self._write is not None:
            body = _encode(self._write(result)).encode()
        headers: Headers = [self._content_type, (b"x-amzn-requestid", request_id().encode())]
        return Answer(self._status, headers, body)

    def refuse(self, problem: ApiError) -> Answer:
        """Write an error; the model's HTTP status stands over the one that was raised."""
        status = self._errors.get(problem.code) or problem.status
        return error(self.dialect, problem.code, problem.message, status)

    def _body(self, body: bytes) -> dict[str, Any]:
        if not body:
            return {}
        try:
            value = json.loads(body)
        except ValueError:
            raise ApiError(MALFORMED, "The request's body is not JSON") from None
        if not isinstance(value, dict):
            raise ApiError(MALFORMED, "The request's body is not a JSON object")
        return value

    def _from_url(self, query: str, labels: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._queries and query:
            given = parse_qs(query, keep_blank_values=True)
            for spelled, (name, read) in self._queries.items():
                if spelled in given:
                    found[name] = read(given[spelled])
        for spelled, (name, read) in self._labels.items():
            if spelled in labels:
                found[name] = read([unquote(labels[spelled])])
        return found

    def _complaint(self, value: dict[str, Any]) -> ApiError:
        try:
            return ApiError(VALIDATION[self.dialect], explain(self._input, value))
        except MalformedError as problem:
            return ApiError(MALFORMED, str(problem))


_Reader = Callable[[list[str]], Any]


def _located(shape: Shape, location: str) -> dict[str, tuple[str, _Reader]]:
    """Give the members that stand in the URL: spelling there -> name and how to read it."""
    return {
        member.serialization.get("name", name): (name, _reader(member))
        for name, member in shape.members.items()
        if member.serialization.get("location") == location
    }


def _reader(shape: Shape) -> _Reader:
    if shape.type_name == "list":
        one = _reader(shape.member)
        return lambda texts: [one([text]) for text in texts]
    convert: Callable[[str], Any] = _FROM_TEXT.get(shape.type_name, str)

    def read(texts: list[str]) -> Any:
        try:
            return convert(texts[0])
        except (ValueError, KeyError):
            return texts[0]

    return read


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def _is_paged(model: OperationModel) -> bool:
    shapes = ((model.input_shape, "MaxResults"), (model.output_shape, "NextToken"))
    return all(shape is not None and member in shape.members for shape, member in shapes)


def _error_status(shape: Shape) -> int | None:
    status: int | None = shape.metadata.get("error", {}).get("httpStatusCode")
    return status
