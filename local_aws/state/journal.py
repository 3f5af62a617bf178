"""What moto was told, so that it can be told again: moto keeps everything in memory."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.feature_groups.group import FeatureGroup


class Journal(Protocol):
    """Keeps moto's changes."""

    def together(self) -> AbstractContextManager[None]:
        """Keep all changes made inside, with the deliveries told, or none of them."""

    def delivered(self, groups: Sequence[FeatureGroup], last: int) -> None:
        """Keep that these groups' offline rows up to this number are in moto's S3."""


class NoJournal:
    """Keeps nothing."""

    def together(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def delivered(self, groups: Sequence[FeatureGroup], last: int) -> None:
        """Do nothing."""
