"""A feature in short, now or at an earlier time: what lists show, and what is repeated on the feature's own row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from festaf.registry_api.features.newest_repository import Newest, NewestRepository
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.tables import DefinitionTable, FeatureTable
from festaf.registry_api.lineage.reading import MASK
from festaf.registry_api.viewpoint import NOW, Viewpoint


@dataclass(frozen=True)
class SetPortrait:
    """What is known of a feature set as a whole."""

    declared: Mapping[str, Any]
    """What the newest definition and the newest description say; of each fact the newer, if it was said."""
    observed: Mapping[str, Any]
    """The newest of OpenLineage's own facets."""
    retired_at: datetime | None

    @property
    def owner(self) -> str | None:
        """Give the owner."""
        return known_owner(self.declared.get("owner")) or self.observed.get("owner")


@dataclass(frozen=True)
class Portrait:
    """A feature in short, with the facts that it was drawn from."""

    newest: Newest
    about: SetPortrait

    @property
    def content(self) -> Mapping[str, Any]:
        """Give what was said of the feature itself."""
        return self.newest.saying.version.content if self.newest.saying else {}

    @property
    def declared(self) -> bool:
        """Tell whether more than a name and a type was said."""
        return self.newest.saying is not None and self.newest.saying.version.declared

    @property
    def owner(self) -> str | None:
        """Give the owner: the feature's, else its set's."""
        return known_owner(self.content.get("owner")) or self.about.owner

    @property
    def last_written(self) -> datetime | None:
        """Give when the last production ended."""
        return self.newest.production.ended_at if self.newest.production else None

    @property
    def deleted(self) -> bool:
        """Tell whether nothing spoke of the feature after its set was retired."""
        life = max((moment for moment in (self.newest.last_said, self.last_written) if moment), default=None)
        retired = self.about.retired_at
        saying = self.newest.saying
        if saying and saying.version.content.get("deleted") and (life is None or life <= saying.at):
            return True
        return retired is not None and (life is None or life < retired)

    @property
    def fresh_within_seconds(self) -> float | None:
        """Give how old the newest values may be: what the feature says, else its set."""
        found = self.content.get("fresh_within_seconds") or self.about.declared.get("fresh_within_seconds")
        return float(found) if isinstance(found, int | float) else None

    def row(self) -> dict[str, Any]:
        """Give what the feature's own row repeats."""
        production = self.newest.production
        return {
            "first_seen": self.newest.first_said,
            "type": self.content.get("type"),
            "description": self.content.get("description"),
            "owner": self.owner,
            "dag_id": production.dag_id if production else None,
            "dag_namespace": production.dag_namespace if production else None,
            "last_written": self.last_written,
            "deleted": self.deleted,
            "version_id": self.newest.saying.version.id if self.newest.saying and self.declared else None,
            "content_id": self.newest.saying.version.id if self.newest.saying else None,
            "said_at": self.newest.saying.at if self.newest.saying else None,
        }


class Gallery:
    """Draws portraits of the features of one set, as they are seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint = NOW) -> None:
        self.view = view
        self.features = FeatureRepository(session)
        self.newest = NewestRepository(session, view)

    def draw(self, feature_set_id: int, features: Collection[FeatureTable]) -> list[Portrait]:
        """Draw features of one set."""
        return self.draw_sets({feature_set_id: features})[feature_set_id]

    def draw_sets(self, features: Mapping[int, Collection[FeatureTable]]) -> dict[int, list[Portrait]]:
        """Draw features of sets."""
        abouts = self.abouts(features)
        found = self.newest.of_sets(features)
        return {set_id: [Portrait(newest, abouts[set_id]) for newest in found[set_id]] for set_id in features}

    def abouts(self, feature_set_ids: Collection[int]) -> dict[int, SetPortrait]:
        """Draw sets as a whole."""
        said = self.features.newest_definitions_of_sets(feature_set_ids, self.view)
        return {set_id: _about(said.get(set_id, {})) for set_id in feature_set_ids}


def _about(newest: Mapping[str, DefinitionTable]) -> SetPortrait:
    said = [newest[kind] for kind in ("declared", "described") if kind in newest]
    declared: dict[str, Any] = {}
    for definition in sorted(said, key=lambda item: (item.said_at, item.sha256)):
        declared |= {name: value for name, value in definition.content.items() if value is not None}
    return SetPortrait(
        declared=declared,
        observed=newest["observed"].content if "observed" in newest else {},
        retired_at=newest["retired"].said_at if "retired" in newest else None,
    )


def known_owner(owner: str | None) -> str | None:
    """Leave out what Airflow's secret masker left of an owner."""
    return owner if owner and MASK not in owner else None
