"""Watch each request: count it, log it, trace it. One middleware, since each costs a turn of its own."""

from __future__ import annotations

import logging
import os
import re
from asyncio import CancelledError
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from festaf.registry_api.errors import UnavailableError
from festaf.registry_api.operations.metrics import Metrics
from festaf.registry_api.operations.tracing import Tracing
from festaf.registry_api.problems import answer

if TYPE_CHECKING:
    from opentelemetry.trace import Span

WATCHED = "festaf.watched"
REQUEST_ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}.*")
NO_ROUTE = "none"
"""The route of a path that leads nowhere: labels must not grow with what strangers ask for."""
CLOSED = 499
"""The status of a request whose sender went away before there was an answer."""
log = logging.getLogger("festaf.registry_api.request")


@dataclass
class Watched:
    """What is known of a request that is being answered."""

    request_id: str
    trace_id: str | None
    status: int = CLOSED
    caller: str | None = None


def name_caller(scope: Scope, name: str) -> None:
    """Say who sent a request, for its line in the log."""
    watched = scope.get(WATCHED)
    if isinstance(watched, Watched):
        watched.caller = name


class Watching:
    """Watch the requests of an application; it stands next to the router, whose scope tells the route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        metrics: Metrics = scope["app"].state.metrics
        tracing: Tracing | None = scope["app"].state.tracing
        span = tracing.begin(scope["method"], headers) if tracing else None
        watched = Watched(_request_id(headers), _trace_id(headers, span))
        scope[WATCHED] = watched
        # They are not unbound: each request has a context of its own, in which the server logs its failure, too.
        bind_contextvars(request_id=watched.request_id, trace_id=watched.trace_id)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                watched.status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = watched.request_id
            await send(message)

        began = perf_counter()
        metrics.in_progress.inc()
        try:
            if span is None:
                await self.app(scope, receive, sending)
            else:
                await self._traced(span, scope, receive, sending)
        except CancelledError:
            if not scope["app"].state.stopping.begun or watched.status != CLOSED:
                raise
            cut = answer(Request(scope), UnavailableError("the registry is stopping; send it again"))
            cut.headers["Connection"] = "close"
            await cut(scope, receive, sending)
        except Exception:
            # The handler outside of this middleware answers it, and the server logs it.
            watched.status = 500
            raise
        finally:
            metrics.in_progress.dec()
            seconds = perf_counter() - began
            metrics.answered(scope["method"], _route(scope), watched.status, seconds)
            _end(scope, watched, seconds, span)

    async def _traced(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.trace import use_span

        with use_span(span, record_exception=True):
            await self.app(scope, receive, send)


def _end(scope: Scope, watched: Watched, seconds: float, span: Span | None) -> None:
    method, route = scope["method"], _route(scope)
    if log.isEnabledFor(logging.INFO):
        said = {
            "method": method,
            "route": route,
            "status": watched.status,
            "duration_ms": round(seconds * 1000, 2),
            "caller": watched.caller,
            "request_id": watched.request_id,
            "trace_id": watched.trace_id,
        }
        log.info("%s %s %s", method, route, watched.status, extra={name: v for name, v in said.items() if v})
    if span is not None:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", watched.status)
        if watched.status >= 500:
            _mark_failed(span)
        span.end()


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", NO_ROUTE)


def _mark_failed(span: Span) -> None:
    from opentelemetry.trace import StatusCode

    span.set_status(StatusCode.ERROR)


def _request_id(headers: Headers) -> str:
    """Take the sender's id if it is harmless in a log and in a header; otherwise make one."""
    found = headers.get("x-request-id", "")
    return found if REQUEST_ID.fullmatch(found) else os.urandom(16).hex()


def _trace_id(headers: Headers, span: Span | None) -> str | None:
    if span is not None:
        return f"{span.get_span_context().trace_id:032x}"
    found = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return found[1] if found else None
