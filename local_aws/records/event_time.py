"""Event times: ISO 8601 in UTC, or seconds since 1970, compared in nanoseconds."""

from __future__ import annotations

import re
from datetime import datetime

NANOSECONDS = 1_000_000_000

_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_SECONDS = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FIRST, _LAST = -62_167_219_200, 253_402_300_799
"""0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: between these AWS takes an event time."""


def from_text(value: str) -> int:
    """Give the nanoseconds since 1970 of a String event time.

    :raises ValueError: it is not ``yyyy-MM-dd'T'HH:mm:ssZ``, with up to nine digits of a second's fraction
    """
    found = _ISO.fullmatch(value)
    if found is None:
        raise ValueError(value)
    whole = int(datetime.fromisoformat(found[1] + "+00:00").timestamp())
    fraction = found[2]
    return whole * NANOSECONDS + (int(fraction.ljust(9, "0")) if fraction else 0)


def from_seconds(value: str) -> int:
    """Give the nanoseconds since 1970 of a Fractional event time.

    :raises ValueError: it is no number of seconds between the years 0 and 9999
    """
    if _SECONDS.fullmatch(value) is None:
        raise ValueError(value)
    seconds = float(value)
    if not _FIRST <= seconds < _LAST + 1:
        raise ValueError(value)
    return round(seconds * NANOSECONDS)
