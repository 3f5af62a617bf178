"""All scenarios: one for every operator and sensor that asks AWS."""

from __future__ import annotations

from tests.faults import feature_sets

SCENARIOS = [*feature_sets.SCENARIOS]
