"""What a training set is to hold: the author's words, checked, with everything that decides its content in one hash."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from festaf.contract.names import sha256_of
from festaf.contract.training_set import TrainingSetColumn
from festaf.provider.errors import InputError
from festaf.provider.training_sets.match import check_columns
from festaf.provider.training_sets.sql import ROW, moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from festaf.contract.training_set import ColumnRole
    from festaf.provider.training_sets.entities import Entities
    from festaf.provider.training_sets.match import Match

FORMAT = 1
"""Raised when the same specification comes to give another content."""
BUILD_CHARACTERS = 16


@dataclass(frozen=True)
class TrainingSetSpecification:
    """A training set as it is asked for.

    :param snapshot: only records that were written by then count
    """

    name: str
    project: str
    entities: Entities
    event_time: str | None
    labels: tuple[str, ...]
    matches: tuple[Match, ...]
    snapshot: datetime

    def check(self) -> None:
        """Find what cannot be before anything is asked of Athena.

        :raises InputError: there is no feature set, or records are to be found in time and there is none
        """
        if not self.matches:
            raise InputError(f"Training set {self.name} takes no feature set: name at least one in feature_sets")
        timed = [match.found.name for match in self.matches if match.view.point_in_time]
        if timed and not self.event_time:
            raise InputError(
                f"Training set {self.name} needs event_time, the column of the entity rows that says when each was, "
                f"for {', '.join(timed)}; or point_in_time=False for what does not change"
            )
        for match in self.matches:
            _ = match.view.max_age_microseconds

    def at(self, snapshot: datetime) -> TrainingSetSpecification:
        """Give the same with another snapshot."""
        return replace(self, snapshot=snapshot)

    @property
    def sha256(self) -> str:
        """Hash everything that decides the content."""
        content = [
            FORMAT,
            self.entities.content(),
            self.event_time,
            sorted(self.labels),
            [match.content() for match in self.matches],
            moment_text(self.snapshot),
        ]
        return sha256_of(json.dumps(content, sort_keys=True))

    @property
    def build(self) -> str:
        """Name the build."""
        return self.sha256[:BUILD_CHARACTERS]

    def columns(self, kinds: Mapping[str, str]) -> tuple[TrainingSetColumn, ...]:
        """Describe the columns, in their order.

        :param kinds: the entity rows' columns in their order, with their types in Glue's words
        :raises InputError: a column is missing, or two have one name
        """
        names = tuple(name for name in kinds if name != ROW)
        for what, column in (("event_time", self.event_time), *(("labels", label) for label in self.labels)):
            if column is not None and column not in names:
                raise InputError(f"{what} {column!r} is no column of the entity rows: they have {', '.join(names)}")
        check_columns(self.matches, names)
        uri = self.entities.source.uri
        mine = [
            TrainingSetColumn(
                name=name, type=kinds[name], role=self._role(name), sources=(f"{uri}#{name}",) if uri else ()
            )
            for name in names
        ]
        return (*mine, *(column for match in self.matches for column in _features(match)))

    def _role(self, column: str) -> ColumnRole:
        if column == self.event_time:
            return "event_time"
        if column in self.labels:
            return "label"
        return "entity" if any(match.entity == column for match in self.matches) else "context"


def _features(match: Match) -> list[TrainingSetColumn]:
    return [
        TrainingSetColumn(
            name=taken.column,
            type=taken.sql_type.replace("varchar", "string").replace("(", "<").replace(")", ">"),
            role="feature_time" if taken.feature.name == match.found.event_time else "feature",
            feature_set=match.found.name,
            feature=taken.feature.name,
            sources=(f"{match.uri}#{taken.feature.name}",),
        )
        for taken in match.taken
    ]
