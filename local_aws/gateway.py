"""The one door of the local AWS: an ASGI application that answers what is ours and passes the rest to moto.

Our operations are found, read, checked and written by botocore's own service models. A fault that was ordered strikes
here, before or after the work, for our services and moto's alike.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware
from botocore.loaders import Loader
from botocore.model import ServiceModel

from festaf.local_aws.control import PREFIX, Control
from festaf.local_aws.foreign import ABSENCES, foreign_name
from festaf.local_aws.partial import can_be_partial, partly
from festaf.local_aws.protocol.errors import Dialect, error, throttled, unknown
from festaf.local_aws.protocol.message import Answer, Request
from festaf.local_aws.protocol.router import Route, Router, Scope, scope_of
from festaf.local_aws.resources.reading import answering
from festaf.local_aws.service import ApiError, Call, Handler, NotOurs, Service
from festaf.local_aws.throttle import Throttle

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from wsgiref.types import StartResponse, WSGIEnvironment

    from festaf.local_aws.connections import Connections
    from festaf.local_aws.faults import Fault
    from festaf.local_aws.protocol.operation import Operation

log = logging.getLogger(__name__)

SLOW_SECONDS = 1.0
"""How much later ``slow`` makes an answer unless the order says otherwise, in real time."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Wsgi = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Mounted:
    handler: Handler
    inline: bool
    pool: Executor | None


class Gateway:
    """Answers every request that reaches the server.

    :param others: moto's WSGI application, called in threads
    """

    def __init__(self, control: Control, connections: Connections, others: Wsgi) -> None:
        self._control = control
        self._connections = connections
        self._others = WSGIMiddleware(_with_raw_path(others))  # type: ignore[arg-type] # it has types of its own for the same
        self._router = Router()
        self._throttle = Throttle()
        self._handlers: dict[tuple[str, str], _Mounted] = {}
        self._loader = Loader()
        self.before_reading: Callable[[str | None], None] | None = None
        """Called in a thread, with the signing name, before a service answers that may read what ours wrote."""

    def mount(self, service: Service, *, inline: bool = False, pool: Executor | None = None) -> None:
        """Take a service's operations away from moto.

        :param inline: its handlers are quick and only compute, so they run in the event loop, not in a thread
        :param pool: threads of its own, for handlers that may take so long that those of others would wait
        """
        for operation in self._router.add(self.model(service.name), service.operations):
            self._handlers[service.name, operation.name] = _Mounted(service.operations[operation.name], inline, pool)

    def operations(self) -> dict[str, list[str]]:
        """Give the operations that are not moto's, by service."""
        found: dict[str, list[str]] = {}
        for service, operation in sorted(self._handlers):
            found.setdefault(service, []).append(operation)
        return found

    def model(self, service: str) -> ServiceModel:
        """Give botocore's model of a service."""
        return ServiceModel(self._loader.load_service_model(service, "service-2"), service)

    def handler(self, service: str, operation: str) -> Handler:
        """Give what answers an operation of a service that is mounted."""
        return self._handlers[service, operation].handler

    def reset(self) -> None:
        """Forget what was counted against the rates."""
        self._throttle.reset()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith(PREFIX):
            await _reply(send, await self._control.answer(scope["method"], path, await _read(receive)))
            return
        request = Request(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            dict(scope["headers"]),
            await _read(receive),
        )
        exchange = _Exchange(scope, receive, send, request, scope_of(request))
        route = self._router.find(request, exchange.signed)
        if route:
            name, dialect = route.operation.name, route.operation.dialect
        else:
            name, dialect = foreign_name(request, exchange.signed)
        self._control.calls[name] += 1
        if not self._throttle.admit(name, self._control.settings.now.rates, self._control.clock.now()):
            await _reply(send, throttled(dialect))
            return
        if route is None and name in ABSENCES and self._control.faults.hides_elsewhere(name):
            await _reply(send, error(dialect, *ABSENCES[name]))
            return
        divisible = route is not None and can_be_partial(route.operation)
        await self._answer(exchange, route, self._control.faults.for_request(name, divisible=divisible), dialect)

    async def _answer(self, exchange: _Exchange, route: Route | None, fault: Fault | None, dialect: Dialect) -> None:
        kind = fault.kind if fault else None
        if fault and kind == "slow":
            await asyncio.sleep(SLOW_SECONDS if fault.seconds is None else fault.seconds)
        elif kind == "reset":
            await self._cut(exchange)
            return
        elif fault and kind in ("throttle", "error"):
            await _reply(exchange.send, _ordered_error(fault, dialect))
            return
        if kind == "lost_reply":
            await self._work(exchange.mute(), route, partial=False)
            await self._cut(exchange)
        elif fault and kind in ("timeout", "late_timeout"):
            if kind == "late_timeout":
                await self._work(exchange.mute(), route, partial=False)
            await self._keep_waiting(exchange, fault.seconds)
        else:
            await self._work(exchange, route, partial=kind == "partial")

    async def _work(self, exchange: _Exchange, route: Route | None, *, partial: bool) -> None:
        if route is None:
            await self._pass_on(exchange)
            return
        mounted = self._handlers[route.operation.service, route.operation.name]
        handler = partly(route.operation, mounted.handler) if partial else mounted.handler
        try:
            if mounted.inline:
                answer = _handle(route, handler, exchange.request, exchange.signed.region)
            else:
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(mounted.pool, self._handle_in_thread, exchange, route, handler)
        except NotOurs:
            await self._pass_on(exchange)
            return
        await _reply(exchange.send, answer)

    def _handle_in_thread(self, exchange: _Exchange, route: Route, handler: Handler) -> Answer:
        return _handle(route, handler, exchange.request, exchange.signed.region, lambda: self._prepare(exchange))

    def _prepare(self, exchange: _Exchange) -> None:
        if self.before_reading is not None:
            self.before_reading(exchange.signed.service)

    async def _pass_on(self, exchange: _Exchange) -> None:
        try:
            await asyncio.to_thread(self._prepare, exchange)
        except Exception:
            # The border of the server, as in _handle.
            name, dialect = foreign_name(exchange.request, exchange.signed)
            log.exception("The local AWS failed before %s", name)
            await _reply(exchange.send, error(dialect, *_failed(name), 500))
            return
        try:
            await self._others(exchange.scope, _once(exchange.request.body), exchange.send)  # type: ignore[arg-type]
        except NotImplementedError:
            await _reply(exchange.send, unknown(*foreign_name(exchange.request, exchange.signed)))
        except Exception:
            # The border of moto: its mistakes must look like AWS's own failures, and be seen in the log.
            name, dialect = foreign_name(exchange.request, exchange.signed)
            log.exception("moto failed in %s", name)
            message = f"moto, which answers {name} in the local AWS, failed; see the log"
            await _reply(exchange.send, error(dialect, "InternalFailure", message, 500))

    async def _keep_waiting(self, exchange: _Exchange, seconds: float | None) -> None:
        """Never answer: wait until the client gives up, or cut the connection after so many seconds of real time."""
        try:
            async with asyncio.timeout(seconds):
                await _disconnected(exchange.receive)
        except TimeoutError:
            await self._cut(exchange)

    async def _cut(self, exchange: _Exchange) -> None:
        """Cut the connection and wait until the server knows, or it would report an answer that never came."""
        self._connections.cut(exchange.scope.get("client"))
        await _disconnected(exchange.receive)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One request with the ways back."""

    scope: Message
    receive: Receive
    send: Send
    request: Request
    signed: Scope

    def mute(self) -> _Exchange:
        """Give the same exchange with nobody listening to the answer."""
        return _Exchange(self.scope, self.receive, _nobody, self.request, self.signed)


def _handle(
    route: Route, handler: Handler, request: Request, region: str, prepare: Callable[[], None] = lambda: None
) -> Answer:
    """Answer an operation of ours.

    :param prepare: called first, within the border
    """
    operation: Operation = route.operation
    try:
        prepare()
        parameters = operation.parse(request, route.labels)
        with answering(operation.name):
            return operation.answer(handler(Call(operation.service, operation.name, region), parameters))
    except ApiError as problem:
        return operation.refuse(problem)
    except NotOurs:
        raise
    except Exception:
        # The border of the server: a mistake of ours must look like AWS's own failure, and be seen in the log.
        log.exception("The local AWS failed in %s", operation.name)
        return operation.refuse(ApiError(*_failed(operation.name), 500))


def _failed(name: str) -> tuple[str, str]:
    return "InternalFailure", f"The local AWS failed in {name}; see its log"


def _ordered_error(fault: Fault, dialect: Dialect) -> Answer:
    if fault.kind == "throttle":
        return throttled(dialect)
    code = {500: "InternalFailure", 503: "ServiceUnavailable"}.get(fault.status, "InternalFailure")
    return error(dialect, code, fault.reason, fault.status)


def _with_raw_path(application: Wsgi) -> Wsgi:
    """Give moto the path as it came: once decoded, ``a%2Fb`` and ``a/b`` are the same."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scope: Mapping[str, Any] = environ["asgi.scope"]
        query = scope["query_string"].decode("latin-1")
        environ["RAW_URI"] = environ["REQUEST_URI"] = scope["raw_path"].decode("latin-1") + (
            f"?{query}" if query else ""
        )
        return application(environ, start_response)

    return call


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    chunks = [body]
    while message.get("more_body"):
        message = await receive()
        chunks.append(message.get("body", b""))
    return b"".join(chunks)


async def _reply(send: Send, answer: Answer) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


def _once(body: bytes) -> Receive:
    """Give a body that was already read to the next reader."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nobody(_: Message) -> None:
    """Drop what would be sent."""
