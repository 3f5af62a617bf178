"""How requests are shown, and how others point to them."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from sqlalchemy.orm import Session

from festaf.contract.feature_request import FeatureRef, FeatureRequest, RequestState
from festaf.contract.http import API, Related
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.hiding import seen_sources
from festaf.registry_api.feature_requests.repository import RequestRepository
from festaf.registry_api.feature_requests.tables import FeatureRequestTable
from festaf.registry_api.search.words import compact

REQUESTS = f"{API}/feature-requests"


def href_of(row: FeatureRequestTable) -> str:
    """Give the address of a request."""
    return f"{REQUESTS}/{row.uuid}"


def show(row: FeatureRequestTable, *, voted: bool, appeared: FeatureRef | None, sight: Sight) -> FeatureRequest:
    """Show a request; the feature that fulfils it only to those who may see that one."""
    feature = None
    if row.feature_project and row.feature_set and row.feature_name and sight.sees(row.feature_project):
        feature = FeatureRef(project=row.feature_project, feature_set=row.feature_set, name=row.feature_name)
    return FeatureRequest(
        id=row.uuid,
        href=href_of(row),
        project=row.project,
        name=row.name,
        purpose=row.purpose,
        wanted_by=row.wanted_by,
        sources=tuple(seen_sources(row.sources, sight)),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=cast("RequestState", row.state),
        version=row.version,
        votes=row.votes,
        voted=voted,
        planned_by=row.planned_by,
        planned_until=row.planned_until,
        reason=row.reason,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        feature=feature,
        appeared=appeared,
    )


def link(row: FeatureRequestTable) -> Related:
    """Point to a request."""
    return Related(kind="feature_request", href=href_of(row), title=row.name, state=row.state, reason=row.reason)


def feature_link(feature: FeatureRef) -> Related:
    """Point to a feature."""
    parts = (feature.project, feature.feature_set, feature.name)
    return Related(
        kind="feature", href="/".join((f"{API}/features", *(quote(part, safe="") for part in parts))), title=parts[-1]
    )


def requests_about(session: Session, sight: Sight, project: str, name: str) -> tuple[Related, ...]:
    """Point to the requests for a name that does not stand: they say why, to those who may see the project."""
    if not sight.sees(project):
        return ()
    rows = RequestRepository(session).for_name(project, compact(name))
    return tuple(link(row) for row in rows if row.state in {"open", "planned", "declined"})


def requests_fulfilled(session: Session, sight: Sight, project: str, feature_set: str, name: str) -> tuple[str, ...]:
    """Give the addresses of the requests that a feature fulfils, of those that the caller may see."""
    found = RequestRepository(session).fulfilled_by((project, feature_set, name))
    return tuple(f"{REQUESTS}/{uuid}" for uuid, asked_in in found if sight.sees(asked_in))
