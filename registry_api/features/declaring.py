"""Declare and retire features by a call: each becomes an event, so that a rebuild tells the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from pydantic import ValidationError
from sqlalchemy.orm import Session

from festaf.contract.declaration import Declared, FeatureSaid, FeatureSetSaid
from festaf.contract.feature_set import (
    DECLARATION_FACET,
    FeatureDeclaration,
    FeatureSetDeclaration,
    FeatureSetDescription,
    FeatureType,
)
from festaf.contract.names import PROJECT_PATTERN, feature_set_dataset
from festaf.contract.openlineage import PRODUCER
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.database import lock
from festaf.registry_api.errors import NotFoundError, StaleError, UnreadableEventError
from festaf.registry_api.features.call_repository import CallRepository
from festaf.registry_api.features.portrait import Gallery, Portrait
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.graph.names import can_be_named, feature_node, source_node
from festaf.registry_api.lineage.body import parse_json
from festaf.registry_api.lineage.reading import lines_of
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.table import content_sha256
from festaf.registry_api.viewpoint import NOW

DATASET_EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent"
WHOLE = re.compile(r"(?i)double|float|decimal|numeric|real")
COUNT = re.compile(r"(?i)int|long|short|byte")


@dataclass(frozen=True)
class Condition:
    """What a caller knows of the content that it wants to replace: HTTP's ``If-Match`` and ``If-None-Match``."""

    match: str | None = None
    none_match: str | None = None

    def check(self, tag: str | None) -> None:
        """Compare with the entity tag of what stands; None when nothing does.

        :raises StaleError: it is not what the caller knows
        """
        if self.match is not None and not _among(self.match, tag):
            raise StaleError("another declaration is in force than the one named by If-Match")
        if self.none_match is not None and _among(self.none_match, tag):
            raise StaleError("a declaration is in force already")


class DeclarationService:
    """Takes declarations of one caller."""

    def __init__(self, session: Session, now: datetime, caller: str) -> None:
        self.session = session
        self.now = now
        self.caller = caller
        self.features = FeatureRepository(session)
        self.calls = CallRepository(session, NOW)

    def declare(self, project: str, feature_set: str, name: str, said: FeatureSaid, condition: Condition) -> Declared:
        """Declare a feature; what is in force already is not said again.

        :raises StaleError: another content is in force than the caller knows
        :raises UnreadableEventError: the names or the content are none that can be kept
        """
        _check_names(project, feature_set, name)
        self._lock(project, feature_set, said.sources)
        known = self._portrait(project, feature_set, name)
        condition.check(self._tag(known))
        kind = said.type or _type_of(known)
        if kind is None:
            kinds = ", ".join(get_args(FeatureType))
            raise UnreadableEventError(
                f"nothing tells the type of {project}/{feature_set}/{name} yet: say one of {kinds}"
            )
        content = said.model_dump() | {"name": name, "type": kind}
        try:
            declaration = FeatureDeclaration.model_validate(content)
        except ValidationError as error:
            raise UnreadableEventError("the declaration cannot be read", lines_of(error)) from error
        if known and not known.deleted and self._tag(known) == declaration.sha256:
            return self._declared(project, feature_set, name, changed=False)
        whole = FeatureSetDeclaration(project=project, feature_set=feature_set, features=(declaration,))
        self._say(whole, self._tag(known), declaration.sha256)
        return self._declared(project, feature_set, name, changed=True)

    def retire(self, project: str, feature_set: str, name: str, condition: Condition) -> Declared:
        """Retire a feature; its set and what was said of it stay.

        :raises NotFoundError: nothing speaks of it
        :raises StaleError: another content is in force than the caller knows
        """
        _check_names(project, feature_set, name)
        unlocked = self._portrait(project, feature_set, name)
        self._lock(project, feature_set, unlocked.content.get("sources", ()) if unlocked else ())
        known = self._portrait(project, feature_set, name)
        if known is None:
            raise NotFoundError(f"no feature {project}/{feature_set}/{name} is known")
        condition.check(self._tag(known))
        if known.deleted:
            return self._declared(project, feature_set, name, changed=False)
        fields = {key: value for key, value in known.content.items() if key in FeatureDeclaration.model_fields}
        content = fields | {"name": name, "type": _type_of(known) or "String", "deleted": True}
        retired = FeatureDeclaration.model_validate(content)
        whole = FeatureSetDeclaration(project=project, feature_set=feature_set, features=(retired,))
        self._say(whole, self._tag(known), retired.sha256)
        return self._declared(project, feature_set, name, changed=True)

    def describe(self, project: str, feature_set: str, said: FeatureSetSaid, condition: Condition) -> Declared:
        """Declare a feature set as a whole.

        :raises StaleError: another description is in force than the caller knows
        """
        about = FeatureSetDescription.model_validate(said.model_dump())
        return self._about(project, feature_set, about, condition)

    def retire_set(self, project: str, feature_set: str, condition: Condition) -> Declared:
        """Retire a feature set with all its features.

        :raises NotFoundError: nothing speaks of it
        :raises StaleError: another description is in force than the caller knows
        """
        if self.features.find_set(project, feature_set) is None:
            raise NotFoundError(f"no feature set {project}/{feature_set} is known")
        return self._about(project, feature_set, FeatureSetDescription(deleted=True), condition)

    def _about(self, project: str, feature_set: str, about: FeatureSetDescription, condition: Condition) -> Declared:
        _check_names(project, feature_set)
        self._lock(project, feature_set)
        row = self.features.find_set(project, feature_set)
        newest = self.features.newest_definitions(row.id, NOW) if row else {}
        found = max(
            (newest[kind] for kind in ("described", "retired") if kind in newest),
            key=lambda item: (item.said_at, item.sha256),
            default=None,
        )
        stands = found.content if found and found.kind == "described" else None
        before = _description_tag(stands) if stands is not None else None
        condition.check(before)
        tag = _description_tag(about.model_dump())
        kind = "retired" if about.deleted else "described"
        if found and found.kind == kind and (about.deleted or _description_tag(found.content) == tag):
            return _set_declared(project, feature_set, tag, found.said_at, changed=False)
        whole = FeatureSetDeclaration(project=project, feature_set=feature_set, about=about)
        self._say(whole, before, None if about.deleted else tag)
        return _set_declared(project, feature_set, tag, self.now, changed=True)

    def _lock(self, project: str, feature_set: str, sources: Iterable[str] = ()) -> None:
        """Lock at once all that the event will lock: locks taken one after another may cross another writer's."""
        wholes = (node.whole or node for node in (feature_node(project, feature_set, ""), *map(source_node, sources)))
        lock(self.session, {f"{node.kind}:{node.key}" for node in wholes if node.kind == "feature_set"})
        self.session.expire_all()

    def _say(self, declaration: FeatureSetDeclaration, before: str | None, after: str | None) -> None:
        body = declaration.model_copy(update={"declared_by": self.caller}).model_dump(mode="json")
        dataset = feature_set_dataset(declaration.project, declaration.feature_set)
        facet = {
            "_producer": PRODUCER,
            "_schemaURL": f"{PRODUCER}/blob/main/contract/feature_set.py",
            "declaration": body,
        }
        event = {
            "eventTime": self.now.isoformat(),
            "producer": PRODUCER,
            "schemaURL": DATASET_EVENT_SCHEMA,
            "dataset": {"namespace": dataset.namespace, "name": dataset.name, "facets": {DECLARATION_FACET: facet}},
        }
        LineageService(self.session, self.now).take(parse_json(json.dumps(event).encode()))
        named = [feature.name for feature in declaration.features]
        entity = "/".join((declaration.project, declaration.feature_set, *named))
        retired = any(item.deleted for item in (*declaration.features, declaration.about) if item)
        noun = "feature" if named else "feature-set"
        note(self.session, f"{noun}.{'retire' if retired else 'declare'}", entity, before=before, after=after)

    def _portrait(self, project: str, feature_set: str, name: str) -> Portrait | None:
        row = self.features.find(project, feature_set, name)
        if row is None or row.first_seen is None:
            return None
        return Gallery(self.session).draw(row.feature_set_id, [row])[0]

    def _tag(self, portrait: Portrait | None) -> str | None:
        """Give the entity tag of what is declared."""
        saying = portrait.newest.saying if portrait else None
        return saying.version.sha256 if saying and self.calls.declared(saying) else None

    def _declared(self, project: str, feature_set: str, name: str, *, changed: bool) -> Declared:
        portrait = self._portrait(project, feature_set, name)
        assert portrait is not None
        saying = portrait.newest.saying
        feature_id = portrait.newest.feature.id
        order = self.features.declared_orders([feature_id], NOW).get(feature_id, [])
        tag = self._tag(portrait)
        return Declared(
            project=project,
            feature_set=feature_set,
            feature=name,
            version=order.index(tag) + 1 if tag in order else None,
            version_sha256=tag,
            declared_at=saying.at if saying else self.now,
            changed=changed,
        )


def _description_tag(content: Mapping[str, Any]) -> str:
    return content_sha256({name: content.get(name) for name in FeatureSetSaid.model_fields})


def _set_declared(project: str, feature_set: str, tag: str, at: datetime, *, changed: bool) -> Declared:
    return Declared(project=project, feature_set=feature_set, version_sha256=tag, declared_at=at, changed=changed)


def _type_of(portrait: Portrait | None) -> str | None:
    """Give the known type in the words of a declaration; a schema facet has words of its own."""
    text = portrait.content.get("type") if portrait else None
    if not isinstance(text, str) or text in get_args(FeatureType):
        return text if isinstance(text, str) else None
    return "Fractional" if WHOLE.search(text) else "Integral" if COUNT.search(text) else "String"


def _among(header: str, tag: str | None) -> bool:
    """Tell whether a list of entity tags, or ``*``, names the tag."""
    if tag is None:
        return False
    return header.strip() == "*" or tag in {item.strip().removeprefix("W/").strip('"') for item in header.split(",")}


def _check_names(project: str, *names: str) -> None:
    wrong = [name for name in names if not can_be_named(name)]
    if wrong or not PROJECT_PATTERN.fullmatch(project):
        raise UnreadableEventError("these names are none that a feature can have", tuple(wrong) or (project,))
