"""What a batch added to features, and of what else their own rows may now repeat something old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from festaf.registry_api.features.facts import FeatureContent, SetStatement

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

    @property
    def order(self) -> tuple[datetime, str]:
        """Order contents; the hash decides between equal times."""
        return self.at, self.content.sha256


class Written(NamedTuple):
    """What one write said anew of every feature that it names."""

    at: datetime
    spoken: tuple[Spoken, ...]
    run: FoldedRun

    @property
    def versions(self) -> tuple[int, ...]:
        """Give which contents it said."""
        return tuple(item.version_id for item in self.spoken)

    @property
    def order(self) -> tuple[datetime, str]:
        """Order writes; the run decides between equal times."""
        return self.at, self.run.state.run_id.hex


class Follow(NamedTuple):
    """The writes of one content that are all that is new of a set: when the first was, and the newest."""

    first_at: datetime
    newest: Written


@dataclass
class Touched:
    """The features whose own rows may have to change."""

    added: dict[int, dict[int, list[Added]]] = field(default_factory=dict)
    """By set and feature what was said anew, where nothing else changed."""
    written: dict[int, list[Written]] = field(default_factory=dict)
    """By set the writes that are new in all they say."""
    unsure: dict[int, set[int]] = field(default_factory=dict)
    """By set the features of which something was ended: what is the newest has to be asked."""
    whole: set[int] = field(default_factory=set)
    """The sets of which something was said that concerns each feature."""
    fresh_sets: set[int] = field(default_factory=set)
    """Sets that the batch made."""

    def add(self, set_id: int, item: Added) -> None:
        """Note what was said of a feature."""
        self.added.setdefault(set_id, {}).setdefault(item.feature_id, []).append(item)

    def write(self, set_id: int, written: Written) -> None:
        """Note a write."""
        self.written.setdefault(set_id, []).append(written)

    def follows(self) -> dict[int, Follow]:
        """Take out the sets of which no more is new than writes of one content; the other writes are added."""
        found: dict[int, Follow] = {}
        for set_id, writes in self.written.items():
            more = set_id in self.fresh_sets or set_id in self.whole or set_id in self.unsure or set_id in self.added
            if more or len({item.versions for item in writes}) > 1:
                for item in writes:
                    for spoken in item.spoken:
                        self.add(set_id, Added(spoken.feature_id, item.at, spoken.version_id, spoken.content, item.run))
            else:
                found[set_id] = Follow(min(item.at for item in writes), max(writes, key=lambda item: item.order))
        self.written = {}
        return found

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
