"""Say in the OpenAPI schema by which problems each route may answer, and of parameters only what can be sent."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from festaf.contract.http import Problem
from festaf.registry_api.problems import MEDIA_TYPE

Said = dict[str, Any]
PACKAGES = "DAG packages"
"""The tag of routes whose things can be deleted for ever, or quarantined."""
METHODS = ("get", "put", "post", "delete", "patch")
MEANINGS = {
    400: "It cannot be read: no JSON, an unknown cursor, a value that no database keeps",
    401: "Nobody knows who asks",
    403: "The one who asks may not",
    404: "There is no such thing, or it may not be seen",
    409: "It stands already, or what was asked for does not go with what stands",
    410: "It was deleted, and nothing will ever stand in its place",
    412: "It was changed since it was read",
    413: "The body is larger than allowed",
    415: "The body's type or encoding is not known",
    422: "A parameter or the body is not what was asked for",
    428: "Say by If-Match what is to be changed",
    429: "Asked too often",
    451: "It is quarantined",
    503: "The database, or the store of archives, is busy or away",
}
HEADERS = {401: ("WWW-Authenticate", "string"), 429: ("Retry-After", "integer"), 503: ("Retry-After", "integer")}


def declare_problems(app: FastAPI) -> None:
    """Let the application's schema say every status that can come."""
    made = app.openapi

    def openapi() -> Said:
        if app.openapi_schema is None:
            _complete(made())
        return made()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: Said) -> None:
    _, said = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(said["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for item in schema["paths"].values():
        for method in METHODS:
            if method in item:
                _declare(method, item[method])


def _declare(method: str, operation: Said) -> None:
    for parameter in operation.get("parameters", ()):
        _without_null(parameter["schema"])
    for status in sorted(_statuses(method, operation)):
        if status in HEADERS:
            name, kind = HEADERS[status]
            extra: Said = {"headers": {name: {"schema": {"type": kind}}}}
        else:
            extra = {}
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][str(status)] = {"description": MEANINGS[status], "content": content, **extra}


def _statuses(method: str, operation: Said) -> set[int]:
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    found = {503}
    if "security" in operation:
        found |= {401, 403, 429}
    if names or "requestBody" in operation:
        found |= {400, 404, 422}
    if method != "get":
        found |= {404, 409}
    if "requestBody" in operation:
        found |= {413, 415}
    if "version" in names and any(tag == PACKAGES for tag in operation.get("tags", ())):
        found |= {409, 410, 451}
    if "if-match" in names:
        found |= {412, 428} if method == "patch" else {412}
    return found


def _without_null(schema: Said) -> None:
    """Take null from what a parameter may be: a query string cannot say it."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema.update(choices[0])
