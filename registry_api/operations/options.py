"""How the serving process is told to log and to stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class LogFormat(StrEnum):
    """How a line is written."""

    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """What is written at all."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", envvar="FESTAF_REGISTRY_LOG_FORMAT", help="How a line of the log looks.")
]
LogLevelOption = Annotated[
    LogLevel, typer.Option("--log-level", envvar="FESTAF_REGISTRY_LOG_LEVEL", help="The least that is logged.")
]
Drain = Annotated[
    float, typer.Option(min=0, max=600, help="Seconds to go on after a signal while /ready says no, for balancers.")
]
Grace = Annotated[int, typer.Option(min=0, max=600, help="Seconds that requests under way may take at the end.")]
