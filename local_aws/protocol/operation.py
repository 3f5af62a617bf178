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
        self._headers = {
            name.lower().encode(): member for name, member in _located(model.input_shape, "header").items()
        }
        self._payload = _raw_payload(model.input_shape)
        self._written = Written(model.output_shape)
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
            value |= self._from_headers(request.headers)
        try:
            parsed: dict[str, Any] = self._parse(value)
        except UnfitError:
            raise self._complaint(value) from None
        return parsed

    def answer(self, result: Mapping[str, Any]) -> Answer:
        """Write what a handler returned."""
        number = (b"x-amzn-requestid", request_id().encode())
        if self._write is None:
            return Answer(self._status, [self._content_type, number], b"")
        status = self._written.status(result) or self._status
        headers = [number, *self._written.headers(result)]
        if self._written.payload is not None:
            return Answer(status, headers, result.get(self._written.payload) or b"")
        body = self._write(self._written.in_body(result))
        return Answer(status, [self._content_type, *headers], _encode(body).encode())

    def refuse(self, problem: ApiError) -> Answer:
        """Write an error; the model's HTTP status stands over the one that was raised."""
        status = self._errors.get(problem.code) or problem.status
        return error(self.dialect, problem.code, problem.message, status, problem.details)

    def _body(self, body: bytes) -> dict[str, Any]:
        if self._payload is not None:
            name, required = self._payload
            return {name: body} if body or required else {}
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

    def _from_headers(self, headers: Mapping[bytes, bytes]) -> dict[str, Any]:
        return {
            name: read([headers[spelled].decode("latin-1")])
            for spelled, (name, read) in self._headers.items()
            if spelled in headers
        }

    def _complaint(self, value: dict[str, Any]) -> ApiError:
        try:
            return ApiError(VALIDATION[self.dialect], explain(self._input, value))
        except MalformedError as problem:
            return ApiError(MALFORMED, str(problem))


class Written:
    """Which members of an output stand outside of a JSON body."""

    def __init__(self, shape: Shape | None) -> None:
        self._headers: dict[str, bytes] = {}
        self._status: str | None = None
        payload = _raw_payload(shape)
        self.payload = payload[0] if payload else None
        """The blob that is the body; None when the body is JSON."""
        for name, member in shape.members.items() if shape else ():
            location = member.serialization.get("location")
            if location == "header":
                self._headers[name] = member.serialization.get("name", name).lower().encode()
            elif location == "statusCode":
                self._status = name

    def headers(self, result: Mapping[str, Any]) -> Headers:
        """Give the members that are headers."""
        return [
            (spelled, str(result[name]).encode("latin-1", "replace"))
            for name, spelled in self._headers.items()
            if result.get(name) is not None
        ]

    def status(self, result: Mapping[str, Any]) -> int | None:
        """Give the member that is the HTTP status, if there is one."""
        return result.get(self._status) if self._status else None

    def in_body(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the members that are left."""
        if not self._headers and self._status is None:
            return result
        return {name: value for name, value in result.items() if name not in self._headers and name != self._status}


_Reader = Callable[[list[str]], Any]


def _raw_payload(shape: Shape | None) -> tuple[str, bool] | None:
    """Give the name of the blob that is the whole body, and whether it is required; None when the body is JSON."""
    name = shape.serialization.get("payload") if shape else None
    if shape is None or name is None or shape.members[name].type_name != "blob":
        return None
    return name, name in shape.required_members


def _located(shape: Shape | None, location: str) -> dict[str, tuple[str, _Reader]]:
    """Give the members that stand in the URL: spelling there -> name and how to read it."""
    return {
        member.serialization.get("name", name): (name, _reader(member))
        for name, member in (shape.members.items() if shape else ())
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
