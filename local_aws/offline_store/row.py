"""What the online side hands to the offline side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | list[str]
"""A value as PutRecord takes it: ValueAsString, or ValueAsStringList of a collection."""


@dataclass(frozen=True, slots=True)
class OfflineRow:
    """One accepted PutRecord or DeleteRecord.

    Values were checked when they were accepted; a feature that is not in ``values`` is null offline.
    """

    values: Mapping[str, Value]
    """By feature name; the record identifier and the event time among them."""
    event_time: str
    """Epoch seconds as text, or ISO 8601, as it was sent."""
    api_invocation_time: float
    """When the call arrived, in epoch seconds."""
    is_deleted: bool = False
