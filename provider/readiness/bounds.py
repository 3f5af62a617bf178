"""What a level of readiness is measured against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["CREATED", "WRITABLE", "QUERYABLE", "FRESH"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What WRITABLE, QUERYABLE and FRESH are proven with; CREATED needs none."""

    record: str | None = None
    """Identifier of a record that is read online instead of a probe being written."""
    until: datetime | None = None
    rows: int | None = None
    max_age: float | None = None
    """Seconds."""
    athena_output: str | None = None
    workgroup: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Bounds:
        """Read what ``as_dict`` wrote, or what a user gave: texts of numbers and times, empty texts for nothing.

        :raises InputError: a value is none of that
        """
        given = {key: value for key, value in (values or {}).items() if value not in {None, ""}}
        readers: dict[str, Any] = {"until": read_moment, "rows": int, "max_age": _seconds}
        found: dict[str, Any] = {}
        for key, value in given.items():
            try:
                found[key] = readers.get(key, str)(value)
            except (ValueError, TypeError) as error:
                raise InputError(f"{key} is {value!r}: {error}") from error
        return cls(**found)

    def as_dict(self) -> dict[str, Any]:
        """Write only what is set, as JSON can hold it."""
        values = {key: value for key, value in asdict(self).items() if value is not None}
        return values | ({"until": self.until.isoformat()} if self.until else {})

    def check(self, level: str) -> None:
        """Find what is missing or unknown before anything is asked.

        :raises InputError: something is
        """
        if level not in LEVELS:
            raise InputError(f"level is {level!r}: write one of {', '.join(LEVELS)}")
        if level == "FRESH" and self.max_age is None:
            raise InputError("Level FRESH needs max_age: how old the newest event time may be")


def read_moment(value: str | datetime) -> datetime:
    """Read a time with its zone.

    :raises ValueError: it is no time, or has no zone
    """
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("the time has no zone, write it as 2013-01-31T05:00:00Z")
    return moment.astimezone(UTC)


def _seconds(value: timedelta | float | str) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
