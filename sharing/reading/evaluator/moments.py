"""Dates, times and durations of ``datetime`` and ``pendulum``, as far as the text fixes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from festaf.sharing.reading.values import Arguments, External, Made, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

DATETIME_FIELDS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
DELTA_FIELDS = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")


def timezone(value: object) -> tzinfo | None:
    """Give a time zone by its name or object; None when it is not known."""
    if isinstance(value, External) and value.name.lower() in {"utc", "timezone"}:
        return UTC
    if isinstance(value, Made) and value.positional:
        value = value.positional[0]
    if isinstance(value, tzinfo):
        return value
    if isinstance(value, str) and len(value) < 64:
        try:
            return UTC if value.upper() == "UTC" else ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
    return None


def make_datetime(
    machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope, pendulum: bool = False
) -> object:
    """Make a datetime of its fields."""
    fields: dict[str, int] = {}
    for position, name in enumerate(DATETIME_FIELDS):
        value = arguments.get(name, position, 0 if position > 2 else 1)
        if not isinstance(value, int):
            return value if isinstance(value, Unknown) else machine.plain("A date is not known", node, scope)
        fields[name] = value
    given = arguments.get("tz" if pendulum else "tzinfo", 7, "UTC" if pendulum else None)
    zone = timezone(given) if given is not None else None
    if given is not None and zone is None:
        return given if isinstance(given, Unknown) else machine.plain("A time zone is not known", node, scope)
    try:
        return datetime(**fields, tzinfo=zone)
    except (ValueError, OverflowError):
        return machine.plain("A date does not exist", node, scope)


def make_date(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Make a date of its fields."""
    given = [arguments.get(name, position) for position, name in enumerate(DATETIME_FIELDS[:3])]
    fields = [value for value in given if isinstance(value, int)]
    if len(fields) == len(given):
        try:
            return date(*fields)
        except (ValueError, OverflowError):
            pass
    return machine.plain("A date is not known", node, scope)


def duration(arguments: Arguments) -> timedelta | None:
    """Make a timedelta of its fields, or None when one is not known."""
    if arguments.gap is not None or set(arguments.keywords) - set(DELTA_FIELDS):
        return None
    fields = {**dict(zip(DELTA_FIELDS, arguments.positional, strict=False)), **arguments.keywords}
    if not all(isinstance(value, int | float) for value in fields.values()):
        return None
    try:
        return timedelta(**fields)  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        return None


def make_duration(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Make a timedelta, or say that it is not known."""
    made = duration(arguments)
    return made if made is not None else machine.plain("A duration is not known", node, scope)


def parse_datetime(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Read a datetime from an ISO text."""
    text = arguments.get("string", 0)
    if isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text[:40])
        except ValueError:
            return machine.plain("A date is not known", node, scope)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone(arguments.get("tz")) or UTC)
    return machine.plain("A date is not known", node, scope)


def parse_with_format(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Read a datetime from a text in a format."""
    text, pattern = arguments.get("date_string", 0), arguments.get("format", 1)
    if isinstance(text, str) and isinstance(pattern, str) and len(text) < 64 and len(pattern) < 64:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007
        except (ValueError, OverflowError):
            pass
    return machine.plain("A date is not known", node, scope)
