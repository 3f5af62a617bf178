"""Keep the index: in the transaction that changes a feature, and only when something changed that a search reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from festaf.registry_api.search.document import Described, texts
from festaf.registry_api.search.index_repository import IndexRepository

if TYPE_CHECKING:
    from festaf.registry_api.features.portrait import Portrait

GONE = "gone"
"""The signature of a feature that nothing speaks of any more."""


class SearchIndex:
    """The documents of features."""

    def __init__(self, session: Session) -> None:
        self.documents = IndexRepository(session)

    def keep(self, portraits: Mapping[int, Sequence[Portrait]]) -> dict[int, str]:
        """Bring the documents of features, by their sets, up to their portraits; give what says so on their rows."""
        abouts = {set_id: about_set(drawn[0]) for set_id, drawn in portraits.items() if drawn}
        signatures: dict[int, str] = {}
        changed: list[tuple[int, Portrait]] = []
        for set_id, about in abouts.items():
            for portrait in portraits[set_id]:
                feature = portrait.newest.feature
                signatures[feature.id] = _signature(portrait, about)
                if feature.indexed != signatures[feature.id]:
                    changed.append((set_id, portrait))
        sets = self.documents.feature_sets({set_id for set_id, _ in changed})
        known = [(set_id, portrait) for set_id, portrait in changed if portrait.newest.first_said]
        self.documents.keep([describe(sets[set_id], portrait, abouts[set_id]) for set_id, portrait in known])
        self.documents.remove([item.newest.feature.id for _, item in changed if not item.newest.first_said])
        return signatures


def about_set(portrait: Portrait) -> Mapping[str, tuple[str, ...]]:
    """Give what is said of a feature set as a whole and counts for its features."""
    declared, observed = portrait.about.declared, portrait.about.observed
    return {
        "purpose": texts(declared.get("purpose")),
        "description": texts(declared.get("description")) or texts(observed.get("description")),
    }


def describe(feature_set: tuple[str, str], portrait: Portrait, about: Mapping[str, tuple[str, ...]]) -> Described:
    """Gather what a search may ask of a feature."""
    (project, name), content, production = feature_set, portrait.content, portrait.newest.production
    facts: dict[str, Any] = {
        "name": (portrait.newest.feature.name,),
        "project": (project,),
        "feature_set": (name,),
        "owner": texts(portrait.owner),
        "tags": texts(*(content.get("tags") or ())),
        "dag_id": texts(production.dag_id if production else None),
        "technique": texts(content.get("technique")),
        "sources": texts(*(content.get("sources") or ())),
        **{fact: texts(content.get(fact)) or said for fact, said in about.items()},
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
