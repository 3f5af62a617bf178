"""All scenarios: one for every operator and sensor that asks AWS."""

from __future__ import annotations

from tests.faults import endpoints, feature_sets, models, monitors, training_sets

SCENARIOS = [
    *feature_sets.SCENARIOS,
    *training_sets.SCENARIOS,
    *models.SCENARIOS,
    *endpoints.SCENARIOS,
    *monitors.SCENARIOS,
]
