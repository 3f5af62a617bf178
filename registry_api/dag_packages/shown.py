"""Packages and versions as they are answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from packaging.version import Version

from festaf.contract.dag_package import (
    Ancestor,
    Approval,
    Finding,
    Manifest,
    NamespaceSettings,
    PackageVersion,
    Signature,
    VersionSummary,
)
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.tables import PackageTable, PackageVersionTable


class VersionView:
    """Shows versions of a package by the rules that hold now."""

    def __init__(self, packages: PackageRepository, rules: NamespaceSettings, now: datetime) -> None:
        self.packages = packages
        self.rules = rules
        self.now = now

    def whole(self, package: PackageTable, row: PackageVersionTable) -> PackageVersion:
        """Show everything of a version."""
        approvals = self.packages.approvals(row)
        signatures = self.packages.signatures(row.id)
        return PackageVersion(
            namespace=package.namespace,
            name=package.name,
            version=row.version,
            state=row.state,
            digest=row.digest,
            size=row.size,
            uploaded_at=row.uploaded_at,
            uploaded_by=row.uploaded_by,
            published_at=row.published_at,
            reason=row.reason,
            cooling_until=self.cooling_until(row, approved=bool(approvals)),
            approvals=tuple(
                Approval(by=item.by, at=item.at, digest=item.digest, comment=item.comment) for item in approvals
            ),
            approvals_needed=self.rules.approvals,
            manifest=Manifest.model_validate(row.manifest),
            findings=tuple(Finding.model_validate(item) for item in row.findings),
            signatures=tuple(Signature.model_validate(item.envelope) for item in signatures),
            downloads=self.packages.downloads([row.id])[row.id],
            origin=row.origin,
        )

    def summaries(self, rows: Iterable[PackageVersionTable]) -> tuple[VersionSummary, ...]:
        """Show versions in a list, the newest first."""
        ordered = newest_first(rows)
        ids = [row.id for row in ordered]
        approved, downloads = self.packages.approved(ids), self.packages.downloads(ids)
        return tuple(
            VersionSummary(
                version=row.version,
                state=row.state,
                digest=row.digest,
                published_at=row.published_at,
                cooling_until=self.cooling_until(row, approved=row.id in approved),
                reason=row.reason,
                downloads=downloads[row.id],
            )
            for row in ordered
        )

    def cooling_until(self, row: PackageVersionTable, *, approved: bool) -> datetime | None:
        """Tell until when importers refuse a version that nobody but its author looked at."""
        if row.published_at is None or approved or not self.rules.cooldown_hours:
            return None
        until = row.published_at + timedelta(hours=self.rules.cooldown_hours)
        return until if until > self.now else None


def newest_first(rows: Iterable[PackageVersionTable]) -> list[PackageVersionTable]:
    """Sort versions as PEP 440 does, the newest first."""
    return sorted(rows, key=lambda row: Version(row.version), reverse=True)


def latest_of(rows: Sequence[PackageVersionTable]) -> PackageVersionTable | None:
    """Give the newest published version that is no pre-release, or the newest published one when there is none."""
    published = newest_first(row for row in rows if row.state == "published")
    final = (row for row in published if not Version(row.version).is_prerelease)
    return next(final, published[0] if published else None)


def ancestor_of(row: PackageVersionTable) -> Ancestor | None:
    """Give what a version was made from."""
    if row.ancestor_namespace is None or row.ancestor_name is None:
        return None
    return Ancestor(
        namespace=row.ancestor_namespace,
        name=row.ancestor_name,
        version=row.ancestor_version or "",
        digest=row.ancestor_digest or "",
    )
