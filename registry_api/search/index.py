"""Keep the index: in the transaction that changes a feature, and only when something changed that a search reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from festaf.registry_api.features.tables import FeatureSetTable
from festaf.registry_api.search.document import Described, texts
from festaf.registry_api.search.index_repository import IndexRepository

if TYPE_CHECKING:
    from festaf.registry_api.features.portrait import Portrait

GONE = "gone"
"""The signature of a feature that nothing speaks of any more."""


class SearchIndex:
    """The documents of features."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.documents = IndexRepository(session)

    def keep(self, set_id: int, portraits: Sequence[Portrait]) -> list[str]:
        """Bring the documents of a set's features up to their portraits; give what says so on each feature's row."""
        about = about_set(portraits[0]) if portraits else {}
        signatures = [_signature(portrait, about) for portrait in portraits]
        pairs = zip(portraits, signatures, strict=True)
        changed = [portrait for portrait, signature in pairs if portrait.newest.feature.indexed != signature]
        if changed:
            feature_set = self.session.get_one(FeatureSetTable, set_id)
            known = [portrait for portrait in changed if portrait.newest.first_said]
            self.documents.keep([describe(feature_set, portrait, about) for portrait in known])
            self.documents.remove([item.newest.feature.id for item in changed if not item.newest.first_said])
        return signatures


def about_set(portrait: Portrait) -> Mapping[str, tuple[str, ...]]:
    """Give what is said of a feature set as a whole and counts for its features."""
    declared, observed = portrait.about.declared, portrait.about.observed
    return {
        "purpose": texts(declared.get("purpose")),
        "description": texts(declared.get("description")) or texts(observed.get("description")),
    }


def describe(feature_set: FeatureSetTable, portrait: Portrait, about: Mapping[str, tuple[str, ...]]) -> Described:
    """Gather what a search may ask of a feature."""
    content, production = portrait.content, portrait.newest.production
    facts: dict[str, Any] = {
        "name": (portrait.newest.feature.name,),
        "project": (feature_set.project,),
        "feature_set": (feature_set.name,),
        "owner": texts(portrait.owner),
        "tags": texts(*(content.get("tags") or ())),
        "dag_id": texts(production.dag_id if production else None),
        "technique": texts(content.get("technique")),
        "sources": texts(*(content.get("sources") or ())),
        **{name: texts(content.get(name)) or said for name, said in about.items()},
    }
    return Described(portrait.newest.feature.id, facts, content.get("type"), portrait.deleted)


def _signature(portrait: Portrait, about: Mapping[str, tuple[str, ...]]) -> str:
    """Hash all that a document is made of; contents of features stand for themselves by their own hash."""
    newest = portrait.newest
    if newest.first_said is None:
        return GONE
    dag_id = newest.production.dag_id if newest.production else None
    content = newest.saying.version.sha256 if newest.saying else None
    said = (content, portrait.owner, dag_id, portrait.deleted, about)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
