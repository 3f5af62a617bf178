"""Which areas record what events say, in this order."""

from __future__ import annotations

from sqlalchemy.orm import Session

from festaf.registry_api.artifacts.recorder import ArtifactRecorder
from festaf.registry_api.catalog.recorder import CatalogRecorder
from festaf.registry_api.dags.recorder import DagRecorder
from festaf.registry_api.experiments.recorder import ExperimentRecorder
from festaf.registry_api.features.recorder import FeatureRecorder
from festaf.registry_api.graph.alias_recorder import AliasRecorder
from festaf.registry_api.graph.recorder import GraphRecorder
from festaf.registry_api.lineage.recording import Recorder


def recorders(session: Session) -> tuple[Recorder, ...]:
    """Make the recorder of every area for one transaction."""
    return (
        DagRecorder(session),
        FeatureRecorder(session),
        GraphRecorder(session),
        AliasRecorder(session),
        ExperimentRecorder(session),
        ArtifactRecorder(session),
        CatalogRecorder(session),
    )
