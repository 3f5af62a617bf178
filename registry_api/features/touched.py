"""What a batch added to features, and of what else their own rows may now repeat something old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from festaf.registry_api.features.facts import FeatureContent, SetStatement, SetWrite

if TYPE_CHECKING:
    from festaf.registry_api.lineage.recording import FoldedRun


class Spoken(NamedTuple):
    """A feature in a statement or write, by the ids of its rows."""

    feature_id: int
    version_id: int
    content: FeatureContent


class Added(NamedTuple):
    """A content of a feature that was said anew; by a write when there is a run."""

    feature_id: int
    at: datetime
    version_id: int
    content: FeatureContent
    run: FoldedRun | None

    @classmethod
    def production(cls, write: SetWrite, item: Spoken, run: FoldedRun | None) -> Added:
        """Read one feature of a write."""
        return cls(item.feature_id, write.ended_at, item.version_id, item.content, run)

    @property
    def order(self) -> tuple[datetime, str]:
        """Order contents; the hash decides between equal times."""
        return self.at, self.content.sha256


@dataclass
class Touched:
    """The features whose own rows may have to change."""

    added: dict[int, dict[int, list[Added]]] = field(default_factory=dict)
    """By set and feature what was said anew, where nothing else changed."""
    unsure: dict[int, set[int]] = field(default_factory=dict)
    """By set the features of which something was ended: what is the newest has to be asked."""
    whole: set[int] = field(default_factory=set)
    """The sets of which something was said that concerns each feature."""
    fresh_sets: set[int] = field(default_factory=set)
    """Sets that the batch made."""
    fresh: set[int] = field(default_factory=set)
    """Features that the batch made: nothing else speaks of them."""

    def add(self, set_id: int, item: Added) -> None:
        """Note what was said of a feature."""
        self.added.setdefault(set_id, {}).setdefault(item.feature_id, []).append(item)

    def state(self, set_id: int, statement: SetStatement, spoken: Iterable[Spoken]) -> None:
        """Note a statement."""
        for item in spoken:
            self.add(set_id, Added(item.feature_id, statement.said_at, item.version_id, item.content, None))
        if statement.kind != "mentioned":
            self.whole.add(set_id)

    def end(self, set_id: int, features: Iterable[int], *, whole: bool) -> None:
        """Note that something stands no longer."""
        self.unsure.setdefault(set_id, set()).update(features)
        if whole:
            self.whole.add(set_id)

    @property
    def sets(self) -> set[int]:
        """Give every set that is concerned."""
        return self.added.keys() | self.unsure.keys() | self.whole
