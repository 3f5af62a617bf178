"""Moments as nanoseconds since 1970 in Athena's SQL, exact enough that no value leaks from the future.

Trino's timestamps from ISO 8601 end at the millisecond, and a double of seconds at a quarter of a microsecond, so both
are compared as whole numbers: texts by all their digits up to the ninth, numbers to the microsecond. Times before 1824
or after 2115 count as these, which keeps differences within a bigint.
"""

from __future__ import annotations

from festaf.provider.errors import InputError

LIMIT = 4_600_000_000
"""Seconds from 1970 up to which times are told apart."""
LAST = (LIMIT + 1) * 1_000_000_000
"""After every moment."""

_FORM = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"


def of_text(column: str) -> str:
    """Write the nanoseconds of a text in ISO 8601: with or without fraction, in UTC (``Z`` or nothing) or an offset.

    What is not of the common form is left to ``from_iso8601_timestamp``, which reads it or fails.

    :param column: the column, quoted
    """

    def part(pattern: str, default: str) -> str:
        return f"coalesce(regexp_extract({column}, '{pattern}', 1), '{default}')"

    date = f"substr({column}, 1, 10)"
    time = part("[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)", "00:00:00")
    seconds = f"to_unixtime(from_iso8601_timestamp({date} || 'T' || {time} || 'Z'))"
    zone = "[T ][0-9:.,]+"
    hours = f"CAST({part(f'{zone}[+-]([0-9]{{2}})', '00')} AS bigint)"
    minutes = f"CAST({part(f'{zone}[+-][0-9]{{2}}:?([0-9]{{2}})$', '00')} AS bigint)"
    sign = f"CASE WHEN regexp_like({column}, '{zone}-') THEN 1 ELSE -1 END"
    utc = f"CAST({seconds} AS bigint) + ({sign}) * ({hours} * 3600 + {minutes} * 60)"
    fraction = f"CAST(rpad({part('[.,]([0-9]{1,9})', '0')}, 9, '0') AS bigint)"
    other = f"to_unixtime(from_iso8601_timestamp({column}))"
    return (
        f"CASE WHEN regexp_like({column}, '{_FORM}') THEN {_clamped(utc)} * 1000000000 + {fraction} "
        f"ELSE {_rounded(other)} END"
    )


def of_number(column: str) -> str:
    """Write the nanoseconds of a number of seconds since 1970; NaN is no time."""
    number = f"CAST({column} AS double)"
    return f"CASE WHEN NOT is_nan({number}) THEN {_rounded(number)} END"


def of_time(column: str) -> str:
    """Write the nanoseconds of a date or timestamp; one without a zone is UTC."""
    return _rounded(f"to_unixtime({column})")


def of_type(column: str, kind: str, what: str) -> str:
    """Write the nanoseconds of a column by its type in Glue's words.

    :param what: what the column is, for the message
    :raises InputError: no time is made of this type
    """
    base = kind.lower().split("(")[0].strip()
    if base in {"string", "varchar", "char"}:
        return of_text(column)
    if base in {"double", "float", "real", "bigint", "int", "integer", "decimal"}:
        return of_number(column)
    if base == "timestamp":
        return of_time(column)
    if base == "date":
        return of_time(f"CAST({column} AS timestamp)")
    raise InputError(
        f"{what} is of type {kind}: give ISO 8601 text, a timestamp, a date, or a number of seconds since 1970"
    )


def _clamped(seconds: str) -> str:
    return f"least(greatest({seconds}, -{LIMIT}), {LIMIT})"


def _rounded(seconds: str) -> str:
    """Write a double of seconds as nanoseconds, to the microsecond."""
    return f"CAST(round(least(greatest({seconds}, -{LIMIT}e0), {LIMIT}e0) * 1e6) AS bigint) * 1000"
