"""The window of event times, or of newest rows, that a monitor looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Window:
    """Rows from ``start`` to before ``end``, of these the ``rows`` newest; what is None does not bound."""

    start: datetime | None = None
    end: datetime | None = None
    rows: int | None = None

    @classmethod
    def of(cls, value: timedelta | Mapping[str, Any] | int | None, end: datetime | None) -> Window:
        """Read what an author writes: a timedelta, ``{"hours": 24}`` or ``{"rows": 10_000}``; None is everything.

        :raises InputError: it is none of these
        """
        if value is None:
            return cls(None, end)
        if isinstance(value, timedelta):
            return cls._lasting(value, end)
        given = dict(value) if not isinstance(value, int) else {"rows": value}
        rows = given.pop("rows", None)
        try:
            length = timedelta(**given) if given else None
            rows = None if rows is None else int(rows)
        except (TypeError, ValueError) as error:
            raise InputError(f"window is {value!r}: {error}; write a timedelta, or {{'rows': 10000}}") from error
        if rows is not None and rows < 1:
            raise InputError(f"window is {value!r}: it needs at least one row")
        return cls(None, end, rows) if length is None else cls._lasting(length, end, rows)

    @classmethod
    def _lasting(cls, length: timedelta, end: datetime | None, rows: int | None = None) -> Window:
        if length <= timedelta(0):
            raise InputError(f"window is {length}: it must be longer than nothing")
        if end is None:
            raise InputError("a window of time needs its end")
        return cls(end - length, end, rows)

    def __str__(self) -> str:
        """Say it in words, for logs and reports."""
        bounds = ""
        if self.start:
            bounds += f" from {self.start:%Y-%m-%d %H:%M:%S}"
        if self.end:
            bounds += f" to before {self.end:%Y-%m-%d %H:%M:%S}"
        zone = " UTC" if bounds else ""
        return f"{f'the {self.rows:,} newest rows' if self.rows else 'all rows'}{bounds}{zone}"
