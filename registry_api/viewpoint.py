"""The two clocks of every answer: when something was true, and when the registry had learned of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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


NOW = Viewpoint()
