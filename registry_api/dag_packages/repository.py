"""The SQL of packages and their versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, undefer

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.bulk import add_rows
from festaf.registry_api.dag_packages.facts import FactKind
from festaf.registry_api.dag_packages.tables import (
    PackageApprovalTable,
    PackageDownloadTable,
    PackageFactTable,
    PackageSignatureTable,
    PackageTable,
    PackageUploadTable,
    PackageVersionTable,
)
from festaf.registry_api.table import Table
from festaf.registry_api.upsert import insert_missing


class PackageRepository:
    """Packages, versions and what belongs to them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, namespace: str, name: str) -> PackageTable | None:
        """Find a package."""
        query = select(PackageTable).where(PackageTable.namespace == namespace, PackageTable.name == name)
        return self.session.scalars(query).first()

    def names(self, namespace: str) -> Sequence[str]:
        """Name the packages of a namespace."""
        return self.session.scalars(select(PackageTable.name).where(PackageTable.namespace == namespace)).all()

    def alike(self, look_alike: str, sight: Sight) -> Sequence[PackageTable]:
        """Give the packages that one sees whose names are read alike."""
        query = select(PackageTable).where(PackageTable.look_alike == look_alike)
        if sight.projects is not None:
            query = query.where(PackageTable.namespace.in_(sorted(sight.projects)))
        return self.session.scalars(query.order_by(PackageTable.namespace, PackageTable.name).limit(100)).all()

    def add(self, row: Table) -> None:
        """Store a row."""
        self.session.add(row)
        self.session.flush()

    def version(self, package_id: int, identity: str, *, whole: bool = False) -> PackageVersionTable | None:
        """Find a version.

        :param whole: with its manifest and what was seen in it
        """
        query = select(PackageVersionTable).where(
            PackageVersionTable.package_id == package_id, PackageVersionTable.identity == identity
        )
        if whole:
            query = query.options(
                undefer(PackageVersionTable.manifest),
                undefer(PackageVersionTable.inspection),
                undefer(PackageVersionTable.findings),
            )
        return self.session.scalars(query).first()

    def versions(self, package_id: int) -> Sequence[PackageVersionTable]:
        """Give the versions of a package."""
        return self.session.scalars(
            select(PackageVersionTable).where(PackageVersionTable.package_id == package_id)
        ).all()

    def uploaders(self, version: PackageVersionTable) -> set[str]:
        """Tell who sent the bytes of a version."""
        query = select(PackageUploadTable.by).where(
            PackageUploadTable.version_id == version.id, PackageUploadTable.digest == version.digest
        )
        return set(self.session.scalars(query))

    def note_upload(self, version_id: int, digest: str, by: str, at: datetime) -> None:
        """Keep who sent bytes; the same again changes nothing."""
        row = {"version_id": version_id, "digest": digest, "uploaded_by": by, "uploaded_at": at}
        insert_missing(self.session, PackageUploadTable, [row], ["version_id", "digest", "uploaded_by"])

    def approvals(self, version: PackageVersionTable) -> Sequence[PackageApprovalTable]:
        """Give who agreed to the bytes of a version and did not send them, the earliest first."""
        query = (
            select(PackageApprovalTable)
            .where(
                PackageApprovalTable.version_id == version.id,
                PackageApprovalTable.digest == version.digest,
                PackageApprovalTable.by.not_in(sorted(self.uploaders(version))),
            )
            .order_by(PackageApprovalTable.at, PackageApprovalTable.by)
        )
        return self.session.scalars(query).all()

    def approved(self, versions: Iterable[int]) -> set[int]:
        """Tell which versions somebody agreed to who did not send them."""
        sent = select(PackageUploadTable.by).where(
            PackageUploadTable.version_id == PackageApprovalTable.version_id,
            PackageUploadTable.digest == PackageApprovalTable.digest,
        )
        query = (
            select(PackageApprovalTable.version_id)
            .join(PackageVersionTable, PackageVersionTable.id == PackageApprovalTable.version_id)
            .where(
                PackageApprovalTable.version_id.in_(sorted(versions)),
                PackageApprovalTable.digest == PackageVersionTable.digest,
                PackageApprovalTable.by.not_in(sent),
            )
        )
        return set(self.session.scalars(query))

    def signatures(self, version_id: int) -> Sequence[PackageSignatureTable]:
        """Give the signatures of a version, the earliest first."""
        query = select(PackageSignatureTable).where(PackageSignatureTable.version_id == version_id)
        return self.session.scalars(query.order_by(PackageSignatureTable.at, PackageSignatureTable.key_id)).all()

    def keep_signature(self, row: PackageSignatureTable) -> None:
        """Store a signature in place of the one by the same key."""
        self.session.merge(row)
        self.session.flush()

    def forget_review(self, version_id: int) -> None:
        """Void what was said of a version's former bytes."""
        for table in (PackageApprovalTable, PackageSignatureTable):
            self.session.execute(delete(table).where(table.version_id == version_id))

    def put_facts(self, version_id: int, facts: Collection[tuple[FactKind, str]]) -> None:
        """Keep by what a version is found, in place of what was kept."""
        self.session.execute(delete(PackageFactTable).where(PackageFactTable.version_id == version_id))
        rows = [{"version_id": version_id, "kind": kind, "value": value} for kind, value in sorted(facts)]
        add_rows(self.session, PackageFactTable, rows)

    def values(self, version_id: int, kind: FactKind) -> Sequence[str]:
        """Give the facts of a kind of a version."""
        query = select(PackageFactTable.value).where(
            PackageFactTable.version_id == version_id, PackageFactTable.kind == kind
        )
        return self.session.scalars(query.order_by(PackageFactTable.value)).all()

    def holders(self, dag_ids: Collection[str], sight: Sight, besides: int) -> Sequence[tuple[str, str, str]]:
        """Give namespace and name of packages that one sees whose newest version defines a DAG of these ids.

        :param besides: the package that does not count
        """
        query = (
            select(PackageFactTable.value, PackageTable.namespace, PackageTable.name)
            .join(PackageTable, PackageTable.latest_id == PackageFactTable.version_id)
            .where(
                PackageFactTable.kind == "dag_id",
                PackageFactTable.value.in_(sorted(dag_ids)),
                PackageTable.id != besides,
            )
            .order_by(PackageFactTable.value, PackageTable.namespace, PackageTable.name)
            .limit(100)
        )
        if sight.projects is not None:
            query = query.where(PackageTable.namespace.in_(sorted(sight.projects)))
        return [(dag_id, namespace, name) for dag_id, namespace, name in self.session.execute(query)]

    def forks(self, namespace: str, name: str, sight: Sight) -> Sequence[tuple[PackageTable, PackageVersionTable]]:
        """Give the versions of other packages that were made from a package, with theirs, as far as one sees them."""
        query = (
            select(PackageTable, PackageVersionTable)
            .join(PackageVersionTable, PackageVersionTable.package_id == PackageTable.id)
            .where(
                PackageVersionTable.ancestor_namespace == namespace,
                PackageVersionTable.ancestor_name == name,
                PackageVersionTable.state.in_(("published", "yanked", "quarantined")),
            )
            .order_by(PackageTable.namespace, PackageTable.name, PackageVersionTable.id)
        )
        if sight.projects is not None:
            query = query.where(PackageTable.namespace.in_(sorted(sight.projects)))
        return [(package, version) for package, version in self.session.execute(query)]

    def named(self, digests: Collection[str]) -> set[str]:
        """Tell which of these hashes are those of versions that are not deleted."""
        found: set[str] = set()
        wanted = sorted(digests)
        for start in range(0, len(wanted), 500):
            query = select(PackageVersionTable.digest).where(
                PackageVersionTable.digest.in_(wanted[start : start + 500]), PackageVersionTable.state != "deleted"
            )
            found |= set(self.session.scalars(query))
        return found

    def beginning(self, version: str, digest_start: str) -> Sequence[tuple[PackageTable, PackageVersionTable]]:
        """Give the versions of a number whose hash begins so, whatever became of them, by the index of hashes."""
        query = (
            select(PackageTable, PackageVersionTable)
            .join(PackageVersionTable, PackageVersionTable.package_id == PackageTable.id)
            .where(
                PackageVersionTable.digest >= digest_start,
                PackageVersionTable.digest < f"{digest_start}g",
                PackageVersionTable.version == version,
            )
        )
        return [(package, row) for package, row in self.session.execute(query)]

    def kept(self) -> Sequence[tuple[str, str, str, str]]:
        """Give namespace, name, version and hash of every version whose archive is kept."""
        query = (
            select(PackageTable.namespace, PackageTable.name, PackageVersionTable.version, PackageVersionTable.digest)
            .join(PackageVersionTable, PackageVersionTable.package_id == PackageTable.id)
            .where(PackageVersionTable.state != "deleted")
            .order_by(PackageVersionTable.id)
        )
        return [(namespace, name, version, digest) for namespace, name, version, digest in self.session.execute(query)]

    def downloads(self, versions: Collection[int]) -> dict[int, int]:
        """Give how often versions were fetched."""
        counts: dict[int, int] = defaultdict(int)
        query = (
            select(PackageDownloadTable.version_id, func.sum(PackageDownloadTable.count))
            .where(PackageDownloadTable.version_id.in_(sorted(versions)))
            .group_by(PackageDownloadTable.version_id)
        )
        for version_id, count in self.session.execute(query):
            counts[version_id] = int(count)
        return counts

    def downloads_of_packages(self, packages: Collection[int]) -> dict[int, int]:
        """Give how often all versions of packages were fetched."""
        counts: dict[int, int] = defaultdict(int)
        query = (
            select(PackageVersionTable.package_id, func.sum(PackageDownloadTable.count))
            .join(PackageDownloadTable, PackageDownloadTable.version_id == PackageVersionTable.id)
            .where(PackageVersionTable.package_id.in_(sorted(packages)))
            .group_by(PackageVersionTable.package_id)
        )
        for package_id, count in self.session.execute(query):
            counts[package_id] = int(count)
        return counts

    def count_download(self, version_id: int, day: date, slot: int) -> None:
        """Count one more."""
        dialect = self.session.get_bind().dialect.name
        made = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(PackageDownloadTable)
        statement = made.values(version_id=version_id, on_day=day, slot=slot, fetched=1).on_conflict_do_update(
            index_elements=["version_id", "on_day", "slot"], set_={"fetched": PackageDownloadTable.count + 1}
        )
        self.session.execute(statement)
