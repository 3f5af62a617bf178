"""Logs of the serving process: one line each on stderr, as JSON or as text."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from festaf.registry_api.operations.options import LogFormat, LogLevel

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST = ("method", "route", "status", "duration_ms", "caller", "request_id", "trace_id")
"""What the line of a request says besides its text."""


def configure_logs(form: LogFormat, level: LogLevel) -> None:
    """Write the logs of this process to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=REQUEST),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_empty,
    ]
    ending: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form is LogFormat.JSON:
        ending += [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(default=str)]
    else:
        plain = structlog.dev.plain_traceback
        ending += [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain, pad_event_to=0)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending))
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries tell about themselves below a warning.
    root.setLevel(max(logging.WARNING, _number(level)))
    logging.getLogger("festaf").setLevel(_number(level))


def _number(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _drop_empty(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
    return {name: value for name, value in line.items() if value is not None}
