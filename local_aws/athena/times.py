"""Times as Trino reckons them: whole units between two moments, the session's clock, Java's patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.kinds import DATE, PLAIN_TIMESTAMP, TEMPORAL, TEXT, ZONED_TIMESTAMP, is_kind
from festaf.local_aws.athena.place import place_of

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = frozenset({"MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_FIELDS = {
    "DAYOFWEEK": "ISODOW",
    "DAY_OF_WEEK": "ISODOW",
    "DOW": "ISODOW",
    "DAYOFYEAR": "DOY",
    "DAY_OF_YEAR": "DOY",
    "WEEKOFYEAR": "WEEK",
    "DAY_OF_MONTH": "DAY",
    "DAYOFMONTH": "DAY",
} | {name: name for name in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "HOUR", "MINUTE", "SECOND")}
_STRFTIME = frozenset("YmdHMSyj%")
_SHOWN = _STRFTIME | frozenset({"B", "b", "A", "a", "I", "p", "f", "-d", "-m", "-H", "-I"})
_JAVA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "DDD": "%j",
    "EEE": "%a",
    "EEEE": "%A",
    "MMM": "%b",
    "MMMM": "%B",
    "a": "%p",
    "hh": "%I",
    "h": "%-I",
    "d": "%-d",
    "M": "%-m",
    "H": "%-H",
}


def date_diff(node: exp.Expr, sql: str) -> exp.Expr:
    """Count whole units, as DuckDB's date_sub does; its date_diff counts the boundaries between."""
    end, start = node.this, node.expression
    for side in (start, end):
        if is_kind(side, TEXT):
            raise QueryError("TYPE_MISMATCH", f"{place_of(node, sql)}date_diff takes times, not varchar")
    unit = exp.Literal.string(_unit(node, sql).lower())
    return exp.Anonymous(this="date_sub", expressions=[unit, start.copy(), end.copy()])


def date_add(node: exp.Expr, sql: str) -> exp.Expr:
    """Add to a time, and leave a date a date."""
    unit = _unit(node, sql)
    if is_kind(node.this, TEXT):
        raise QueryError("TYPE_MISMATCH", f"{place_of(node, sql)}date_add takes a time, not varchar")
    if is_kind(node.this, DATE) and unit not in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR"):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"{place_of(node, sql)}'{unit.lower()}' is not a valid DATE field"
        )
    return _as_date(node) if is_kind(node.this, DATE) else node


def date_trunc(node: exp.Expr, sql: str) -> exp.Expr:
    """Cut a time, and leave a date a date."""
    if _unit(node, sql) == "MILLISECOND":
        raise NotSupportedError("date_trunc of milliseconds", place_of(node, sql))
    return _as_date(node) if is_kind(node.this, DATE) else node


def extract(node: exp.Expr, sql: str) -> exp.Expr:
    """Take a field; the day of the week is 1 for Monday to 7 for Sunday."""
    field = _FIELDS.get(node.this.name.upper())
    if field is None:
        raise NotSupportedError(f"extract({node.this.name.lower()})", place_of(node, sql))
    return exp.Extract(this=exp.var(field), expression=node.expression.copy())


def from_unixtime(node: exp.Expr, sql: str) -> exp.Expr:
    """Make a moment of epoch seconds, in UTC."""
    zone = node.args.get("zone")
    if node.args.get("hours") or node.args.get("minutes") or (zone is not None and zone.name.upper() != "UTC"):
        raise NotSupportedError("from_unixtime in a zone other than UTC", place_of(node, sql))
    return exp.Anonymous(this="to_timestamp", expressions=[node.this.copy()])


def at_time_zone(node: exp.Expr, sql: str) -> exp.Expr:
    """Leave a moment in UTC as it is; DuckDB knows no moment in another zone."""
    zone = node.args["zone"]
    if zone.name.upper() != "UTC":
        raise NotSupportedError("a time zone other than UTC", place_of(node, sql))
    return exp.cast(node.this.copy(), "timestamptz")


def from_iso8601(node: exp.Expr, sql: str) -> exp.Expr:
    """Read a moment of the forms that Trino reads."""
    return exp.Anonymous(this="athena_from_iso8601", expressions=[node.this.copy()])


def current(node: exp.Expr, now: datetime) -> exp.Expr:
    """Put the clock of the local AWS in the place of DuckDB's."""
    text = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}"
    if isinstance(node, exp.CurrentDate):
        return exp.cast(exp.Literal.string(text[:10]), "date")
    if isinstance(node, exp.Localtimestamp):
        return exp.cast(exp.Literal.string(text), "timestamp")
    return exp.cast(exp.Literal.string(f"{text}+00"), "timestamptz")


def strftime_pattern(node: exp.Expr, sql: str) -> exp.Expr:
    """Let through the patterns of date_format and date_parse whose every field is the same in both."""
    pattern = node.args.get("format")
    fields = set(re.findall(r"%(-?.)", pattern.name)) if isinstance(pattern, exp.Literal) else {"?"}
    if not fields <= (_SHOWN if isinstance(node, exp.TimeToStr) else _STRFTIME):
        raise NotSupportedError("this pattern of date_format or date_parse", place_of(node, sql))
    return node


def format_datetime(node: exp.Expr, sql: str) -> exp.Expr:
    """Write a time by a Java pattern."""
    value, pattern = node.expressions
    if not isinstance(pattern, exp.Literal) or not is_kind(value, TEMPORAL):
        raise NotSupportedError("format_datetime with a computed pattern or of no known time", place_of(node, sql))
    return exp.Anonymous(
        this="strftime", expressions=[value.copy(), exp.Literal.string(_java_pattern(pattern.name, node, sql))]
    )


def to_iso8601(node: exp.Expr, sql: str) -> exp.Expr:
    """Write a date or a time as ISO 8601."""
    value = node.expressions[0]
    forms = ((DATE, "%Y-%m-%d"), (PLAIN_TIMESTAMP, _ISO), (ZONED_TIMESTAMP, f"{_ISO}Z"))
    form = next((form for kinds, form in forms if is_kind(value, kinds)), None)
    if form is None:
        raise NotSupportedError("to_iso8601 of no known time", place_of(node, sql))
    return exp.Anonymous(this="strftime", expressions=[value.copy(), exp.Literal.string(form)])


def millisecond(node: exp.Expr, sql: str) -> exp.Expr:
    """Give the milliseconds within the second; DuckDB's count the seconds too."""
    field = exp.Extract(this=exp.var("MILLISECOND"), expression=node.expressions[0].copy())
    return exp.Mod(this=exp.paren(field), expression=exp.Literal.number(1000))


def in_zone(node: exp.Expr, sql: str) -> exp.Expr:
    """Take a time as one in UTC, or show a moment in UTC; DuckDB knows no moment in another zone."""
    value, zone = node.expressions
    if not isinstance(zone, exp.Literal) or zone.name.upper() != "UTC":
        raise NotSupportedError("a time zone other than UTC", place_of(node, sql))
    return exp.cast(value.copy(), "timestamptz")


_ISO = "%Y-%m-%dT%H:%M:%S.%g"


def _java_pattern(pattern: str, node: exp.Expr, sql: str) -> str:
    """Turn ``yyyy-MM-dd'T'HH:mm`` into ``%Y-%m-%dT%H:%M``."""
    parts = []
    for found in re.finditer(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])", pattern):
        quoted, letters, _, other = found.groups()
        if letters and letters not in _JAVA:
            raise NotSupportedError(f"'{letters}' in a pattern of format_datetime", place_of(node, sql))
        text = quoted.replace("''", "'") or "'" if quoted is not None else other
        parts.append(_JAVA[letters] if letters else text.replace("%", "%%"))
    return "".join(parts)


def _as_date(node: exp.Expr) -> exp.Expr:
    return exp.cast(exp.paren(node.copy()), "date")


def _unit(node: exp.Expr, sql: str) -> str:
    unit = node.args.get("unit")
    name = unit.name.upper() if unit is not None else "DAY"
    if name not in _UNITS:
        raise NotSupportedError(f"the unit '{name.lower()}'", place_of(node, sql))
    return name
