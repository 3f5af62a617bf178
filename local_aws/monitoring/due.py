"""When a monitoring schedule is due: the cron expressions that SageMaker takes, and offsets in ISO 8601."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW = "NOW"
DAILY = "cron(0 0 ? * * *)"
"""What a schedule without an expression gets: SageMaker picks an hour, and this server midnight."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_CRON = re.compile(r"cron\(0 (?:(\*)|(\d{1,2})(?:/(\d{1,2}))?) \? \* \* \*\)")
_OFFSET = re.compile(r"([+-]?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True)
class Expression:
    """A schedule that comes again: the hours of the day at which it is due, in UTC."""

    hours: frozenset[int]
    step: timedelta
    """The time between two, which is also what each one analyzes unless offsets say otherwise."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Give the times that it is due, later than ``after`` and not later than ``until``."""
        moment = after.replace(minute=0, second=0, microsecond=0)
        while (moment := moment + HOUR) <= until:
            if moment.hour in self.hours:
                yield moment


def expression_of(text: str) -> Expression | None:
    """Read a schedule's expression; None is the one time of ``NOW``.

    :raises ApiError: ValidationException
    """
    if text == NOW:
        return None
    found = _CRON.fullmatch(text)
    if found is None:
        raise ApiError(
            "ValidationException",
            f"The schedule expression {text} is not supported. Supported are NOW, cron(0 * ? * * *), "
            "cron(0 [00-23] ? * * *) and cron(0 [00-23]/[01-24] ? * * *).",
        )
    every, start, step = found.groups()
    if every:
        return Expression(frozenset(range(24)), HOUR)
    first, hours = int(start), int(step or 24)
    if first > 23 or not 1 <= hours <= 24:
        raise ApiError("ValidationException", f"The schedule expression {text} names no hour of the day.")
    # Cron counts from the first hour to the end of the day, and begins anew on the next.
    return Expression(frozenset(range(first, 24, hours)), timedelta(hours=hours))


def offset_of(text: str) -> timedelta:
    """Read an offset such as ``-PT1H``.

    :raises ApiError: ValidationException
    """
    found = _OFFSET.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        raise ApiError("ValidationException", f"{text} is not a duration of ISO 8601, such as -PT1H.")
    sign, *parts = found.groups()
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if sign == "-" else length


def window_of(config: Mapping[str, str], due: datetime) -> tuple[datetime, datetime]:
    """Give the start and the end of the data that an execution analyzes.

    :param config: a ScheduleConfig
    :raises ApiError: ValidationException
    """
    expression = expression_of(config.get("ScheduleExpression", DAILY))
    step = expression.step if expression else HOUR
    start = due + offset_of(config["DataAnalysisStartTime"]) if "DataAnalysisStartTime" in config else due - step
    end = due + offset_of(config["DataAnalysisEndTime"]) if "DataAnalysisEndTime" in config else due
    return start, end


def check_schedule(config: Mapping[str, str]) -> None:
    """Check a ScheduleConfig.

    :raises ApiError: ValidationException
    """
    once = expression_of(config.get("ScheduleExpression", DAILY)) is None
    if once and not {"DataAnalysisStartTime", "DataAnalysisEndTime"} <= config.keys():
        raise ApiError(
            "ValidationException", "A schedule of NOW requires DataAnalysisStartTime and DataAnalysisEndTime."
        )
    start, end = window_of(config, datetime(2000, 1, 1, tzinfo=UTC))
    if not timedelta() < end - start <= DAY:
        raise ApiError(
            "ValidationException",
            "DataAnalysisStartTime must precede DataAnalysisEndTime, and by no more than 24 hours.",
        )
