"""Traces by OpenTelemetry, if the standard ``OTEL_*`` variables ask for them; otherwise nothing is made or paid for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "festaf-registry"
FLUSH_SECONDS = 3
_tracer: ContextVar[Tracer | None] = ContextVar("festaf_tracer", default=None)
_nothing: AbstractContextManager[None] = nullcontext()


class Tracing:
    """Makes the spans of requests, and sends them in the background."""

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        from festaf import __version__

        named = Resource({"service.name": SERVICE, "service.version": __version__})
        said = OTELResourceDetector().detect()
        self.provider: TracerProvider = TracerProvider(
            resource=Resource.create().merge(named).merge(said), shutdown_on_exit=False
        )
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer: Tracer = self.provider.get_tracer(SERVICE, __version__)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, method: str, headers: Mapping[str, str]) -> Span:
        """Begin the span of a request, below the one that ``traceparent`` names."""
        from opentelemetry.trace import SpanKind

        parent = self._propagator.extract(headers)
        attributes = {"http.request.method": method}
        span = self.tracer.start_span(method, parent, SpanKind.SERVER, attributes)
        _tracer.set(self.tracer)
        return span

    def stop(self) -> None:
        """Send what was not sent yet, for a few seconds at most: a collector may take a connection and never answer."""
        ending = Thread(target=self.provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)


def read_tracing(environment: Mapping[str, str]) -> Tracing | None:
    """Make what sends traces by OTLP over HTTP, if the environment names an endpoint."""
    wanted = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() in {"", "otlp"}
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or not wanted or not any(environment.get(name) for name in ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return Tracing(OTLPSpanExporter())


def span(name: str) -> AbstractContextManager[object]:
    """Open a span below the request's; without tracing it costs one look-up."""
    tracer = _tracer.get()
    return _nothing if tracer is None else tracer.start_as_current_span(name)
