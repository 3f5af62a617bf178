"""The rules of a namespace and the keys that may sign for it. A namespace is a project of the registry."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag_package import NamespaceSettings, PublisherKey
from festaf.contract.dag_package_steps import KeyRequest
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.dag_packages.namespace_repository import NamespaceRepository
from festaf.registry_api.dag_packages.tables import PackageRulesTable, PublisherKeyTable
from festaf.registry_api.errors import ConflictError, NotFoundError, UnprocessableError
from festaf.sharing.errors import SharingError
from festaf.sharing.names import check_namespace
from festaf.sharing.signature import key_id as id_of
from festaf.sharing.signature import raw_public_key


class NamespaceService:
    """Rules and keys."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.namespaces = NamespaceRepository(session)

    def settings(self, namespace: str) -> NamespaceSettings:
        """Give the rules of a namespace."""
        row = self.namespaces.rules(namespace)
        if row is None:
            return NamespaceSettings()
        return NamespaceSettings(**{name: getattr(row, name) for name in NamespaceSettings.model_fields})

    def put_settings(self, namespace: str, settings: NamespaceSettings) -> NamespaceSettings:
        """Set the rules of a namespace.

        :raises UnprocessableError: the project cannot be a namespace of packages
        """
        require_namespace(namespace)
        before = self.settings(namespace)
        self.namespaces.keep_rules(PackageRulesTable(namespace=namespace, **settings.model_dump()))
        note(
            self.session,
            "dag_namespace.put",
            namespace,
            before=before.model_dump_json(),
            after=settings.model_dump_json(),
        )
        return settings

    def keys(self, namespace: str) -> tuple[PublisherKey, ...]:
        """Give the keys of a namespace, also those that were revoked."""
        return tuple(shown_key(row) for row in self.namespaces.keys(namespace))

    def put_key(self, namespace: str, key_id: str, said: KeyRequest, by: str, now: datetime) -> PublisherKey:
        """Let a key sign for a namespace, or say anew what it is for and until when.

        :raises UnprocessableError: it is no Ed25519 key, or another than its id says
        :raises ConflictError: it was revoked
        """
        require_namespace(namespace)
        try:
            raw_public_key(PublisherKey(key_id=key_id, public_key=said.public_key))
        except SharingError as error:
            raise UnprocessableError(f"{error.message}{_meant(said.public_key)}") from error
        row = self.namespaces.key(namespace, key_id)
        if row is not None and row.revoked_at is not None:
            raise ConflictError(f"the key {key_id} was revoked; make another one")
        if row is None:
            row = PublisherKeyTable(
                namespace=namespace, key_id=key_id, public_key=said.public_key, added_at=now, added_by=by
            )
            row.comment, row.expires_at = said.comment, said.expires_at
            self.namespaces.add_key(row)
        row.comment, row.expires_at = said.comment, said.expires_at
        note(self.session, "publisher_key.put", f"{namespace}/{key_id}", after=said.comment)
        return shown_key(row)

    def revoke_key(self, namespace: str, key_id: str, now: datetime) -> PublisherKey:
        """Let a key sign no more, and count nothing that it signed; again changes nothing.

        :raises NotFoundError: there is no such key
        """
        row = self.namespaces.key(namespace, key_id)
        if row is None:
            raise NotFoundError(f"the namespace {namespace!r} has no key {key_id}")
        if row.revoked_at is None:
            row.revoked_at = now
            note(self.session, "publisher_key.revoke", f"{namespace}/{key_id}")
        return shown_key(row)


def require_namespace(namespace: str) -> None:
    """Make sure that a project's name can be a namespace of packages.

    :raises UnprocessableError: it cannot
    """
    try:
        check_namespace(namespace)
    except SharingError as error:
        raise UnprocessableError(error.message) from error


def shown_key(row: PublisherKeyTable) -> PublisherKey:
    """Give a key as it is answered."""
    return PublisherKey(
        key_id=row.key_id,
        public_key=row.public_key,
        comment=row.comment,
        added_at=row.added_at,
        added_by=row.added_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _meant(text: str) -> str:
    """Name the id of a key that was sent under another one."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"; its id is {id_of(raw)}" if len(raw) == 32 else ""
