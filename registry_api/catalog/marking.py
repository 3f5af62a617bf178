"""What people set by the API: notes of namespaces, tags, removals. Kept by name, so that a rebuild leaves it alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from festaf.registry_api.catalog.tables import NamespaceNoteTable, RemovalTable, TaggingTable, TagTable
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.table import natural_key
from festaf.registry_api.upsert import insert_missing


class MarkingRepository:
    """Writes what people set; every write may be sent twice."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now

    def note_namespace(self, name: str, owner: str, description: str | None) -> None:
        """Set owner and description of a namespace."""
        key = natural_key(name)
        row = {"key": key, "name": name, "owner": owner, "created_at": self.now, "updated_at": self.now}
        insert_missing(self.session, NamespaceNoteTable, [{**row, "description": description}], ["key"])
        note = self.session.scalars(select(NamespaceNoteTable).where(NamespaceNoteTable.key == key)).one()
        if (note.owner, note.description) != (owner, description):
            note.owner, note.description, note.updated_at = owner, description, self.now

    def describe_tag(self, name: str, description: str | None) -> None:
        """Make a tag, or set its description."""
        row = {"name": name, "description": description, "updated_at": self.now}
        insert_missing(self.session, TagTable, [row], ["name"])
        tag = self.session.scalars(select(TagTable).where(TagTable.name == name)).one()
        if tag.description != description:
            tag.description, tag.updated_at = description, self.now

    def add_tag(self, subject_key: str, field: str, tag: str) -> None:
        """Let a job, a dataset or a field bear a tag."""
        row = {"subject_key": subject_key, "field": field, "tag": tag, "origin": "api"}
        insert_missing(self.session, TaggingTable, [row], ["subject_key", "field", "tag", "origin"])

    def remove_tag(self, subject_key: str, field: str, tag: str) -> None:
        """Take away a tag that somebody gave; one that an event gave stays until an event takes it away."""
        self.session.execute(
            delete(TaggingTable).where(
                TaggingTable.subject_key == subject_key,
                TaggingTable.field == field,
                TaggingTable.tag == tag,
                TaggingTable.origin == "api",
            )
        )

    def remove(self, subject_key: str, last_seen: datetime) -> None:
        """Hide a job or dataset until an event of a later time than any so far speaks of it."""
        insert_missing(
            self.session, RemovalTable, [{"subject_key": subject_key, "removed_at": last_seen}], ["subject_key"]
        )
        removal = self.session.get(RemovalTable, subject_key)
        if removal is None:
            raise NotFoundError("it is gone already")
        removal.removed_at = max(removal.removed_at, last_seen)
