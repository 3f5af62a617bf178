"""Keep what is said and written of features, and repeat the newest of it on the feature's own row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.registry_api.features.facts import SetStatement, SetWrite
from festaf.registry_api.features.repository import FeatureRepository, Saying
from festaf.registry_api.features.tables import DefinitionTable, FeatureTable, WriteTable
from festaf.registry_api.graph.names import feature_node, source_node
from festaf.registry_api.graph.service import Declared, GraphService
from festaf.registry_api.table import content_sha256

NEEDS_ALL = {"declared", "retired", "observed"}
"""Statements about the whole set: every feature's owner, description or being there may change."""


class FeatureService:
    """Records facts about features."""

    def __init__(self, session: Session) -> None:
        self.features = FeatureRepository(session)
        self.graph = GraphService(session)

    def record(
        self,
        statements: Iterable[SetStatement],
        writes: Iterable[SetWrite],
        *,
        run_id: int | None = None,
        event_id: int | None = None,
    ) -> None:
        """Keep what a run (instead of what it said before) or an event said."""
        touched: dict[int, set[int] | None] = {}
        if run_id is not None:
            sets, features = self.features.forget_run(run_id)
            touched = dict.fromkeys(sets) if sets else {}
            _ = features
        for statement in statements:
            set_id = self._record_statement(statement, run_id, event_id)
            touched[set_id] = None
        for write in writes:
            if run_id is not None:
                touched[self._record_write(write, run_id)] = None
        for set_id in sorted(touched):
            self.refresh(set_id)

    def _record_statement(self, statement: SetStatement, run_id: int | None, event_id: int | None) -> int:
        set_id = self.features.ensure_set(statement.project, statement.feature_set)
        content = dict(statement.content)
        definition = DefinitionTable(
            feature_set_id=set_id,
            kind=statement.kind,
            said_at=statement.said_at,
            sha256=content_sha256(content),
            content=content,
            run_id=run_id,
            event_id=event_id,
        )
        self.features.add_definition(definition, self.features.ensure_versions(set_id, statement.features))
        return set_id

    def _record_write(self, write: SetWrite, run_id: int) -> int:
        set_id = self.features.ensure_set(write.project, write.feature_set)
        row = WriteTable(
            feature_set_id=set_id,
            run_id=run_id,
            ended_at=write.ended_at,
            lists_features=write.features is not None,
            rows_read=write.rows_read,
            rows_accepted=write.rows_accepted,
            rows_rejected=write.rows_rejected,
            last_event_time=write.last_event_time,
        )
        self.features.add_write(row, self.features.ensure_versions(set_id, write.features or ()))
        return set_id

    def refresh(self, set_id: int) -> None:
        """Repeat the newest facts on the rows of a set's features, and let their declared sources stand."""
        feature_set = self.features.feature_set(set_id)
        definition = self.features.newest_definition(set_id, "declared", None)
        observed = self.features.newest_definition(set_id, "observed", None)
        retired = self.features.newest_definition(set_id, "retired", None)
        declared: list[Declared] = []
        silent = []
        for feature in self.features.features(set_id, None):
            saying = self.features.newest_saying(feature.id, declared=True, as_of=None)
            self._refresh_feature(feature, saying, (definition, observed, retired))
            node = feature_node(feature_set.project, feature_set.name, feature.name)
            if saying is None:
                silent.append(node)
                continue
            sources = frozenset(source_node(uri) for uri in saying.version.content.get("sources", ()))
            since = self.features.version_since(saying.version.id) or saying.at
            declared.append(Declared(node, sources, since, saying.at))
        self.graph.declare(declared, silent)

    def _refresh_feature(
        self, feature: FeatureTable, saying: Saying | None, about: tuple[DefinitionTable | None, ...]
    ) -> None:
        definition, observed, retired = about
        bare = self.features.newest_saying(feature.id, declared=False, as_of=None) if saying is None else None
        content = (saying or bare).version.content if (saying or bare) else {}  # type: ignore[union-attr]
        set_content = definition.content if definition else {}
        seen = observed.content if observed else {}
        production = self.features.newest_production(feature.id, feature.feature_set_id, None)
        life = self.features.last_life(feature.id, None)
        feature.first_seen = self.features.first_said(feature.id)
        feature.type = content.get("type")
        feature.description = content.get("description")
        feature.owner = known_owner(content.get("owner")) or known_owner(set_content.get("owner")) or seen.get("owner")
        feature.last_written = production[1].ended_at if production else None
        feature.dag_id = self.features.dag_id_of(production[0]) if production else None
        feature.deleted = is_deleted(retired.said_at if retired else None, life, feature.last_written)


def known_owner(owner: str | None) -> str | None:
    """Leave out what Airflow's secret masker left of an owner."""
    return owner if owner and "***" not in owner else None


def is_deleted(retired: datetime | None, life: datetime | None, written: datetime | None) -> bool:
    """Tell whether nothing spoke of a feature after its set was retired."""
    newest = max((moment for moment in (life, written) if moment), default=None)
    return retired is not None and (newest is None or newest < retired)
