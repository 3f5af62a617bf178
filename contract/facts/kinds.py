"""Every kind of fact, by the word under which it stands in an asset event's ``extra``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.contract.endpoint import EndpointDeployed
from festaf.contract.facts import endpoint, feature_set, model_version, monitor, training_set
from festaf.contract.facts.told import FactKind
from festaf.contract.feature_set import FeatureSetDefinition, FeatureWrite
from festaf.contract.model_version import ModelVersionFact
from festaf.contract.monitor import MonitorReport
from festaf.contract.training_set import TrainingSetWritten

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Mapping[str, FactKind[Any]] = {
    "definition": FactKind(FeatureSetDefinition, feature_set.tell_definition),
    "write": FactKind(FeatureWrite, feature_set.tell_write),
    "model_version": FactKind(ModelVersionFact, model_version.tell),
    "training_set": FactKind(TrainingSetWritten, training_set.tell),
    "endpoint": FactKind(EndpointDeployed, endpoint.tell),
    "monitor_report": FactKind(MonitorReport, monitor.tell),
}
"""Where two facts are about one dataset, what the later of these kinds says stands."""
