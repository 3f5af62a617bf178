"""The SQL of when a content was told for the first time: by a definition, and by a write."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, aliased

from festaf.registry_api.features.tables import DeclarationTable, ListedVersionTable, WriteTable
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import standing


def first_said(version_id: InstrumentedAttribute[int], *, known: bool = False) -> ColumnElement[datetime | None]:
    """Read when a definition named a content of a row first."""
    said = (DeclarationTable.version_id == version_id, *standing(DeclarationTable, known))
    return type_coerce(select(func.min(DeclarationTable.said_at)).where(*said).scalar_subquery(), Moment)


def first_written(version_id: InstrumentedAttribute[int], *, known: bool = False) -> ColumnElement[datetime | None]:
    """Read when a run wrote a content of a row first, in any list that it is in."""
    listed = aliased(ListedVersionTable)
    of_list = (
        select(func.min(WriteTable.ended_at))
        .where(WriteTable.feature_list_id == listed.feature_list_id, *standing(WriteTable, known))
        .correlate(listed)
        .scalar_subquery()
    )
    first = select(func.min(of_list)).where(listed.version_id == version_id)
    return type_coerce(first.scalar_subquery(), Moment)
