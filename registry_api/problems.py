"""Turn every error into an RFC 9457 problem."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from festaf.contract.http import Problem, Related
from festaf.registry_api.errors import BadRequestError, ServiceError, UnavailableError
from festaf.registry_api.lineage.body import unfit

METHOD_NOT_ALLOWED = 405
ELSEWHERE = {
    404: "nothing is at this path; /docs shows what there is",
    METHOD_NOT_ALLOWED: "the path does not take this method; the header Allow names those that it takes",
}
"""What is said where the framework knows no route."""
SQLITE_ERROR = 1
"""SQLite's code for a wrong statement, which its driver counts among the operational errors."""
log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


def add_problem_handlers(app: FastAPI) -> None:
    """Let the application answer every error with a problem."""

    @app.exception_handler(ServiceError)
    def refused(request: Request, error: ServiceError) -> Response:
        request.app.state.metrics.refused(error)
        return answer(request, error)

    app.exception_handler(RequestValidationError)(_misread)
    app.exception_handler(HTTPException)(_failed)

    @app.exception_handler(DataError)
    def unstorable(request: Request, _error: DataError) -> Response:
        return answer(request, BadRequestError("a value is one that the database cannot hold"))

    async def away(request: Request, error: Exception) -> Response:
        cause = getattr(error, "orig", None) or error
        if getattr(cause, "sqlite_errorcode", None) == SQLITE_ERROR:
            raise error
        if isinstance(error, PoolTimeoutError):
            request.app.state.metrics.pool_exhausted()
        log.warning("The database did not answer: %s", cause)
        return answer(request, UnavailableError("the database is locked or away; try again"))

    for passing in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(passing, away)

    @app.exception_handler(Exception)
    def broken(request: Request, _error: Exception) -> Response:
        failed = answer(request, ServiceError("the registry failed; its log says why"))
        failed.headers["Connection"] = "close"  # The server gives the connection up, which its client has to know.
        return failed


def _misread(request: Request, error: RequestValidationError) -> Response:
    if unread := _unread(request, error.errors()):
        return answer(request, unread)
    lines = tuple(".".join(str(part) for part in item["loc"]) + f": {item['msg']}" for item in error.errors())
    wrong = BadRequestError("the request's parameters cannot be read", lines)
    return _problem(request, 422, wrong.title, wrong.detail, lines)


def _failed(request: Request, error: HTTPException) -> Response:
    if error.status_code == BadRequestError.status_code:  # FastAPI could not even decode the body.
        return answer(request, unfit(request) or BadRequestError("the body is no JSON"))
    headers, title = dict(error.headers or {}), HTTPStatus(error.status_code).phrase
    detail = ELSEWHERE.get(error.status_code, str(error.detail))
    return _problem(request, error.status_code, title, detail, headers=headers)


def _unread(request: Request, wrong: Sequence[Any]) -> ServiceError | None:
    """Tell what keeps the body from being read at all, as the routes of events do; None when its content is wrong."""
    of_body = [item for item in wrong if item["loc"][0] == "body" and item["type"] != "missing"]
    if not of_body:
        return None
    broken = next((item["ctx"]["error"] for item in of_body if item["type"] == "json_invalid"), None)
    return unfit(request) or (BadRequestError(f"the body is no JSON: {broken}") if broken else None)


def answer(request: Request, error: ServiceError) -> Response:
    """Write an error as a problem."""
    return _problem(request, error.status_code, error.title, error.detail, error.errors, error.headers, error.related)


def _problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    errors: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    related: tuple[Related, ...] = (),
) -> Response:
    if status == METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(_methods(request))}
    problem = Problem(
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        code=status,
        message=detail,
        errors=errors,
        related=related,
    )
    return Response(problem.model_dump_json(), status, media_type=MEDIA_TYPE, headers=headers)


def _methods(request: Request) -> list[str]:
    """Name the methods that the path takes, whichever of its routes takes them."""
    routes: list[BaseRoute] = request.app.routes
    taking = (route for route in routes if isinstance(route, APIRoute) and route.include_in_schema)
    return sorted(
        {method for route in taking if route.matches(request.scope)[0] != Match.NONE for method in route.methods}
    )
