"""Namespaces' rules and keys, packages, their versions and what happened to them. The archives themselves are blobs.

Rows of packages and versions are never removed: a deleted one stays as the tombstone of its name.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from festaf.contract.dag_package import Maturity, VersionState
from festaf.registry_api.table import Key, Table

BYTEWISE = String(500).with_variant(String(500, collation="C"), "postgresql")
"""Text in the order of its bytes, so that how a word begins is a range of an index on both databases."""
WHO = String(210)
"""Kind and name of a caller, such as ``user/ann``."""


class PackageRulesTable(Table):
    """The rules of a namespace; without a row those of the contract's defaults hold."""

    __tablename__ = "package_rules"

    namespace: Mapped[str] = mapped_column(String(64), primary_key=True)
    approvals: Mapped[int] = mapped_column(Integer)
    cooldown_hours: Mapped[int] = mapped_column(Integer)
    signatures_required: Mapped[bool]
    max_packages: Mapped[int] = mapped_column(BigInteger)
    max_bytes: Mapped[int] = mapped_column(BigInteger)


class PublisherKeyTable(Table):
    """A key that may sign for a namespace."""

    __tablename__ = "publisher_key"

    namespace: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    public_key: Mapped[str] = mapped_column(String(44))
    comment: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(WHO)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PackageTable(Table):
    """A package."""

    __tablename__ = "dag_package"
    __table_args__ = (UniqueConstraint("namespace", "name"), Index(None, "look_alike"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    namespace: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    look_alike: Mapped[str] = mapped_column(String(64))
    """The same for names that people take for each other."""
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(WHO)
    latest_id: Mapped[int | None] = mapped_column(Key)
    """The version that is found by searching: the newest published one."""


class PackageVersionTable(Table):
    """A version of a package; what it says is that of its archive."""

    __tablename__ = "dag_package_version"
    __table_args__ = (
        UniqueConstraint("package_id", "identity"),
        Index(None, "digest"),
        Index(None, "ancestor_namespace", "ancestor_name"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("dag_package.id"))
    version: Mapped[str] = mapped_column(String(64))
    identity: Mapped[str] = mapped_column(String(64))
    """The same for versions that count as one, such as 1.0 and 1.0.0."""
    state: Mapped[VersionState] = mapped_column(String(12))
    state_before: Mapped[VersionState | None] = mapped_column(String(12))
    """Of a quarantined one, what it is again when it is released."""
    reason: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(WHO)
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(WHO)
    origin: Mapped[str | None] = mapped_column(String(500))
    """The registry that a mirror file was exported from."""
    summary: Mapped[str] = mapped_column(String(255))
    maturity: Mapped[Maturity] = mapped_column(String(12))
    airflow: Mapped[str] = mapped_column(String(500))
    """The Airflow versions that it needs, as a specifier; empty for any."""
    ancestor_namespace: Mapped[str | None] = mapped_column(String(64))
    ancestor_name: Mapped[str | None] = mapped_column(String(64))
    ancestor_version: Mapped[str | None] = mapped_column(String(64))
    ancestor_digest: Mapped[str | None] = mapped_column(String(64))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    """As the author says."""
    inspection: Mapped[list[Any]] = mapped_column(JSON, deferred=True)
    """The files that define DAGs, as the registry itself read them."""
    findings: Mapped[list[Any]] = mapped_column(JSON, deferred=True)
    """What the registry itself saw."""


class PackageUploadTable(Table):
    """Who sent which bytes as a version: they may not approve them."""

    __tablename__ = "dag_package_upload"

    version_id: Mapped[int] = mapped_column(ForeignKey("dag_package_version.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    by: Mapped[str] = mapped_column("uploaded_by", WHO, primary_key=True)
    at: Mapped[datetime] = mapped_column("uploaded_at")


class PackageApprovalTable(Table):
    """Who agreed to the bytes of a version."""

    __tablename__ = "dag_package_approval"

    version_id: Mapped[int] = mapped_column(ForeignKey("dag_package_version.id"), primary_key=True)
    by: Mapped[str] = mapped_column("approved_by", WHO, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column("approved_at")
    comment: Mapped[str] = mapped_column(Text)


class PackageSignatureTable(Table):
    """A signature over the digest of a version."""

    __tablename__ = "dag_package_signature"

    version_id: Mapped[int] = mapped_column(ForeignKey("dag_package_version.id"), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    envelope: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column("signed_at")


class PackageFactTable(Table):
    """Something by which a version is found, such as an operator, a tag or a word."""

    __tablename__ = "dag_package_fact"
    __table_args__ = (Index(None, "kind", "value", "version_id"),)

    version_id: Mapped[int] = mapped_column(ForeignKey("dag_package_version.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    value: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)


class PackageChangeTable(Table):
    """A change of state, in the order in which those who ask for changes see them."""

    __tablename__ = "dag_package_change"
    __table_args__ = (Index(None, "namespace", "sequence"),)

    sequence: Mapped[int] = mapped_column(Key, primary_key=True)
    namespace: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[VersionState] = mapped_column(String(12))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column("changed_at")


class PackageDownloadTable(Table):
    """How often a version was fetched on a day; several slots, so that those who count at once seldom wait."""

    __tablename__ = "dag_package_download"

    version_id: Mapped[int] = mapped_column(ForeignKey("dag_package_version.id"), primary_key=True)
    day: Mapped[date] = mapped_column("on_day", Date, primary_key=True)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True)
    count: Mapped[int] = mapped_column("fetched", Integer)
