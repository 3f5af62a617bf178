"""Record what events say of features."""

from __future__ import annotations

from sqlalchemy.orm import Session

from festaf.registry_api.features.service import FeatureService
from festaf.registry_api.lineage.recording import Batch


class FeatureRecorder:
    """Keeps definitions, declarations, writes and productions."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def record(self, batch: Batch) -> None:
        """Keep what the batch says of features."""
        features = FeatureService(self.session, batch.now)
        for item in batch.events:
            if item.facts:
                features.record(item.facts.statements, [], event_id=item.id)
        for run in batch.runs:
            features.record(run.facts.statements, run.facts.writes, run_id=run.id)
