"""Fold runs from the events that had arrived, or happened, by a time: what the registry could have answered then."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.openlineage import RunEvent
from festaf.registry_api.lineage.folding import RunState, merge, state_of
from festaf.registry_api.lineage.incoming import read_event
from festaf.registry_api.lineage.repository import EventRepository
from festaf.registry_api.viewpoint import Viewpoint


def states_at(session: Session, runs: Collection[UUID], view: Viewpoint) -> dict[UUID, RunState]:
    """Give the folded states of runs; one of which no event counts by then is left out."""
    states: dict[UUID, RunState] = {}
    for body in EventRepository(session).of_runs(runs, view):
        incoming = read_event(json.loads(zlib.decompress(body)))
        if isinstance(incoming.event, RunEvent):
            state = state_of(incoming.event, incoming.key)
            known = states.get(state.run_id)
            states[state.run_id] = merge(known, state) if known else state
    return states
