"""Keep what is said and written of features, and repeat the newest of it on the feature's own row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.registry_api.features.facts import FeatureContent, SetStatement, SetWrite
from festaf.registry_api.features.portrait import Gallery
from festaf.registry_api.features.repository import FeatureRepository, Touched
from festaf.registry_api.features.source_repository import SourceRepository
from festaf.registry_api.features.tables import DefinitionTable, WriteTable
from festaf.registry_api.graph.names import source_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.table import content_sha256


class FeatureService:
    """Records facts about features."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.features = FeatureRepository(session)
        self.sources = SourceRepository(session)
        self.graph = GraphService(session, now)

    def record(
        self,
        statements: Iterable[SetStatement],
        writes: Iterable[SetWrite],
        *,
        run_id: int | None = None,
        event_id: int | None = None,
    ) -> None:
        """Keep what a run (instead of what it said before) or an event said."""
        touched = Touched()
        if run_id is not None:
            self.features.forget_run(run_id, touched)
        for statement in statements:
            self._record_statement(statement, run_id, event_id, touched)
        for write in writes:
            if run_id is not None:
                self._record_write(write, run_id, touched)
        for set_id, features in sorted(touched.features.items()):
            self.refresh(set_id, None if set_id in touched.whole else features)

    def _record_statement(
        self, statement: SetStatement, run_id: int | None, event_id: int | None, touched: Touched
    ) -> None:
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
            recorded_at=self.now,
        )
        said = self._versions(set_id, statement.features)
        self.features.add_definition(definition, said)
        touched.add(set_id, said, whole=statement.kind != "mentioned")

    def _record_write(self, write: SetWrite, run_id: int, touched: Touched) -> None:
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
            recorded_at=self.now,
        )
        said = self._versions(set_id, write.features or ())
        self.features.add_write(row, said)
        touched.add(set_id, said, whole=write.features is None)

    def refresh(self, set_id: int, ids: set[int] | None) -> None:
        """Repeat the newest facts on the rows of a set's features.

        :param ids: the features that something new was said of; None for all of the set
        """
        for portrait in Gallery(self.session).draw(set_id, self.features.features(set_id, ids)):
            for name, value in portrait.row().items():
                setattr(portrait.newest.feature, name, value)
        self.session.flush()

    def _versions(self, set_id: int, features: Iterable[FeatureContent]) -> list[tuple[int, int, FeatureContent]]:
        """Keep contents and the sources that they name; give feature id, version id and content of each."""
        said = self.features.ensure_versions(set_id, features)
        nodes = self.graph.ids({source_node(uri) for _, _, content in said for uri in content.sources})
        self.sources.keep(
            {(version, nodes[source_node(uri)]) for _, version, content in said for uri in content.sources}
        )
        return said
