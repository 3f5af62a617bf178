"""The SQL of what was declared by a call, which is an event without a run."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import Session

from festaf.registry_api.features.newest_repository import Saying
from festaf.registry_api.features.tables import DeclarationTable, DefinitionTable
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing


class CallRepository:
    """What calls declared, as it is seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view

    def declared(self, saying: Saying | None) -> bool:
        """Tell whether a content is declared: a type alone is that only if a call said it, not if events tell it."""
        if saying is None or saying.version.declared:
            return saying is not None
        asked = {"version": saying.version.id, **self.view.asked}
        return bool(self.session.scalar(_said(self.view.dated, self.view.known), asked))


@cache
def _said(dated: bool, known: bool) -> Select[Any]:
    seen = [DeclarationTable.said_at <= AS_OF] if dated else []
    return select(
        exists()
        .where(DeclarationTable.version_id == bindparam("version"), *standing(DeclarationTable, known), *seen)
        .where(DefinitionTable.id == DeclarationTable.definition_id)
        .where(DefinitionTable.kind == "mentioned", DefinitionTable.run_id.is_(None))
    )
