"""What people set by the API: notes of namespaces, tags, removals. Kept by name, so that a rebuild leaves it alone."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.catalog.tables import NamespaceNoteTable, RemovalTable, TaggingTable, TagTable
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.table import natural_key
from festaf.registry_api.upsert import insert_missing


class MarkingRepository:
    """Writes what people set, and says what changed; every write may be sent twice."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now

    def note_namespace(self, name: str, owner: str, description: str | None) -> None:
        """Set owner and description of a namespace."""
        key = natural_key(name)
        row = {"key": key, "name": name, "owner": owner, "created_at": self.now, "updated_at": self.now}
        new = insert_missing(self.session, NamespaceNoteTable, [{**row, "description": description}], ["key"])
        found = self.session.scalars(select(NamespaceNoteTable).where(NamespaceNoteTable.key == key)).one()
        before = None if new else _said(owner=found.owner, description=found.description)
        after = _said(owner=owner, description=description)
        if before == after:
            return
        if not new:
            found.owner, found.description, found.updated_at = owner, description, self.now
        note(self.session, "namespace.describe", name, before=before, after=after)

    def describe_tag(self, name: str, description: str | None) -> None:
        """Make a tag, or set its description."""
        row = {"name": name, "description": description, "updated_at": self.now}
        new = insert_missing(self.session, TagTable, [row], ["name"])
        tag = self.session.scalars(select(TagTable).where(TagTable.name == name)).one()
        before = None if new else _said(description=tag.description)
        after = _said(description=description)
        if before == after:
            return
        if not new:
            tag.description, tag.updated_at = description, self.now
        note(self.session, "tag.describe", name, before=before, after=after)

    def add_tag(self, subject: Subject, field: str, tag: str) -> None:
        """Let a job, a dataset or a field bear a tag."""
        row = {"subject_key": subject.key, "field": field, "tag": tag, "origin": "api"}
        if insert_missing(self.session, TaggingTable, [row], ["subject_key", "field", "tag", "origin"]):
            note(self.session, "tag.give", _named(subject, field), after=tag)

    def remove_tag(self, subject: Subject, field: str, tag: str) -> None:
        """Take away a tag that somebody gave; one that an event gave stays until an event takes it away."""
        gone = delete(TaggingTable).where(
            TaggingTable.subject_key == subject.key,
            TaggingTable.field == field,
            TaggingTable.tag == tag,
            TaggingTable.origin == "api",
        )
        if self.session.execute(gone.returning(TaggingTable.tag)).all():
            note(self.session, "tag.take", _named(subject, field), before=tag)

    def remove(self, subject: Subject, last_seen: datetime) -> None:
        """Hide a job or dataset until an event of a later time than any so far speaks of it."""
        insert_missing(
            self.session, RemovalTable, [{"subject_key": subject.key, "removed_at": last_seen}], ["subject_key"]
        )
        removal = self.session.get(RemovalTable, subject.key)
        if removal is None:
            raise NotFoundError("it is gone already")
        removal.removed_at = max(removal.removed_at, last_seen)
        after = f"until it is spoken of after {last_seen.isoformat()}"
        note(self.session, f"{subject.kind}.hide", _named(subject), before="shown", after=after)


def _said(**facts: str | None) -> str:
    return json.dumps(facts, ensure_ascii=False)


def _named(subject: Subject, field: str = "") -> str:
    """Name a job, a dataset or one of its fields, as Marquez writes them."""
    return ":".join(
        ("datasetField" if field else subject.kind, subject.namespace, subject.name, *filter(None, [field]))
    )
