"""The two clocks of every answer: when something was true, and when the registry had learned of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam

from festaf.registry_api.table import Learned, Moment

AS_OF = bindparam("as_of", type_=Moment())
KNOWN_AT = bindparam("known_at", type_=Moment())


@dataclass(frozen=True)
class Viewpoint:
    """From when one looks; None is now.

    ``as_of`` goes by the times of events: what was true then. ``known_at`` goes by their arrival: what the registry
    could have answered then, before it learned of late events.
    """

    as_of: datetime | None = None
    known_at: datetime | None = None

    @property
    def now(self) -> bool:
        """Tell whether the present is asked for."""
        return self.as_of is None and self.known_at is None

    @property
    def dated(self) -> bool:
        """Tell whether a time is asked for."""
        return self.as_of is not None

    @property
    def known(self) -> bool:
        """Tell whether an earlier state of the registry is asked for."""
        return self.known_at is not None

    @property
    def asked(self) -> dict[str, datetime]:
        """Give the parameters that ``AS_OF`` and ``KNOWN_AT`` stand for in a query."""
        clocks = {"as_of": self.as_of, "known_at": self.known_at}
        return {name: moment for name, moment in clocks.items() if moment is not None}


NOW = Viewpoint()


def standing(table: type[Learned], known: bool) -> tuple[ColumnElement[bool], ...]:
    """Say of rows that they stand, or stood at ``KNOWN_AT``."""
    if not known:
        return (table.superseded_at.is_(None),)
    return (table.recorded_at <= KNOWN_AT, table.superseded_at.is_(None) | (table.superseded_at > KNOWN_AT))
