"""One feature set's part in a training set: the view that was asked for, laid over the feature set that stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.contract.names import feature_set_uri, sha256_of
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.artifacts import Feature, FeatureSet, GlueTable
    from festaf.provider.training_sets.view import FeatureView

SQL_TYPES = {"String": "varchar", "Integral": "bigint", "Fractional": "double"}
COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,254}")
RESERVED = "festaf_"


@dataclass(frozen=True)
class Taken:
    """One feature that is taken, and the column that it becomes."""

    feature: Feature
    column: str

    @property
    def sql_type(self) -> str:
        """Give the type in Athena's words."""
        scalar = SQL_TYPES[str(self.feature.type)]
        return f"array({scalar})" if self.feature.collection else scalar


@dataclass(frozen=True)
class Match:
    """What is taken from one feature set, and how its records are found."""

    view: FeatureView
    found: FeatureSet
    table: GlueTable
    taken: tuple[Taken, ...]
    entity: str
    project: str

    @classmethod
    def of(cls, view: FeatureView, found: FeatureSet, entity_columns: Mapping[str, str], project: str) -> Match:
        """Lay a view over a feature set.

        :param entity_columns: from record identifier to the column of the entity rows
        :raises InputError: the feature set has no offline table, or a feature is not there
        """
        if found.offline is None or found.offline.glue_table is None:
            raise InputError(
                f"Feature set {found.name} has no offline store with a Glue table, so no history can be joined: "
                "create one with offline_s3_uri"
            )
        entity = view.entity or entity_columns.get(found.record_identifier) or found.record_identifier
        return cls(
            view, found, found.offline.glue_table, tuple(_taken(view, found)), entity.lower(), view.project or project
        )

    @property
    def uri(self) -> str:
        """Name the feature set as an asset."""
        return feature_set_uri(self.project, self.found.name)

    @property
    def version(self) -> str:
        """Hash the names and types of all its features, its record identifier and its event time."""
        features = [(item.name, item.type, item.collection, item.dimension) for item in self.found.features]
        return sha256_of(json.dumps([self.found.record_identifier, self.found.event_time, features]))

    @property
    def text_time(self) -> bool:
        """Tell whether the event time is ISO 8601 text, not seconds since 1970."""
        feature = self.found.feature(self.found.event_time)
        return feature is None or feature.type == "String"

    @property
    def identifier_type(self) -> str:
        """Give the record identifier's type in Athena's words."""
        feature = self.found.feature(self.found.record_identifier)
        return SQL_TYPES[str(feature.type)] if feature else "varchar"

    def content(self) -> dict[str, Any]:
        """Give everything that decides what is taken, for the hash of the specification."""
        return {
            "arn": self.found.arn,
            "created_at": self.found.created_at.isoformat(),
            "table": [self.table.catalog, self.table.database, self.table.table],
            "keys": [self.found.record_identifier, self.identifier_type, self.found.event_time, self.text_time],
            "entity": self.entity,
            "taken": [(item.feature.name, item.sql_type, item.column) for item in self.taken],
            "max_age_microseconds": self.view.max_age_microseconds,
            "strict": self.view.strict,
            "point_in_time": self.view.point_in_time,
        }


def check_columns(matches: tuple[Match, ...], entity_columns: tuple[str, ...]) -> None:
    """Find what cannot stand side by side.

    :param entity_columns: the columns of the entity rows
    :raises InputError: two columns have one name, or an entity column is missing
    """
    homes: dict[str, list[str]] = {name: ["the entity rows"] for name in entity_columns}
    for match in matches:
        if match.entity not in entity_columns:
            raise InputError(
                f"The entity rows have no column {match.entity!r} for the record identifier "
                f"{match.found.record_identifier!r} of feature set {match.found.name}: they have "
                f"{', '.join(entity_columns)}. Name the column in entity_columns or in the view's entity"
            )
        for taken in match.taken:
            homes.setdefault(taken.column, []).append(f"feature set {match.found.name}")
    clashes = [f"{column} (of {' and '.join(where)})" for column, where in homes.items() if len(where) > 1]
    if clashes:
        raise InputError(
            f"Columns of one name: {'; '.join(clashes)}. Give the view a prefix, or its features as a mapping from "
            "feature to column"
        )


def _taken(view: FeatureView, found: FeatureSet) -> list[Taken]:
    wanted = view.wanted()
    if wanted is None:
        keys = {found.record_identifier, found.event_time}
        wanted = {feature.name: None for feature in found.features if feature.name not in keys}
    taken = []
    for name, column in wanted.items():
        feature = found.feature(name)
        if feature is None:
            names = ", ".join(item.name for item in found.features)
            raise InputError(f"Feature set {found.name} has no feature {name!r}: it has {names}")
        text = (column or f"{view.prefix}{name}".replace("-", "_")).lower()
        if not COLUMN.fullmatch(text) or text.startswith(RESERVED):
            raise InputError(
                f"Feature {name!r} of {found.name} cannot become column {text!r}: use letters, digits and '_', not "
                f"beginning with a digit or with {RESERVED!r}"
            )
        taken.append(Taken(feature, text))
    return taken
