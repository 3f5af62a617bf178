"""Take steps with a version: sign, approve, publish, yank, quarantine, delete, and back where there is a way back.

    staged -> published <-> yanked
    each of them <-> quarantined
    each of them -> deleted, for good

Each step is taken again without effect.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.dag_package import PackageVersion, Signature, VersionState
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.dag_packages.change_repository import ChangeRepository
from festaf.registry_api.dag_packages.finding import Reader, who
from festaf.registry_api.dag_packages.namespaces import NamespaceService
from festaf.registry_api.dag_packages.repository import PackageRepository
from festaf.registry_api.dag_packages.shown import VersionView, latest_of
from festaf.registry_api.dag_packages.staging import ROOM, room_of
from festaf.registry_api.dag_packages.tables import (
    PackageApprovalTable,
    PackageSignatureTable,
)
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ConflictError, ForbiddenError, UnprocessableError
from festaf.sharing.errors import SharingError
from festaf.sharing.signature import verify

SHOWN_ERRORS = 20


class VersionSteps:
    """Steps that one caller takes with one version; nobody else takes any in its namespace meanwhile."""

    def __init__(
        self, session: Session, caller: Caller, now: datetime, name: tuple[str, str, str], *, deleted: bool = False
    ) -> None:
        self.session = session
        self.caller = caller
        self.now = now
        self.packages = PackageRepository(session)
        self.namespaces = NamespaceService(session)
        namespace, package, version = name
        lock(session, [room_of(namespace)], room=ROOM)
        reader = Reader(self.packages, caller.sight)
        self.package, self.row = reader.version(namespace, package, version, whole=True, deleted=deleted)
        self.rules = self.namespaces.settings(namespace)

    def sign(self, signature: Signature, *, signed_before: bool = False) -> PackageVersion:
        """Keep a signature of this version by a key of the namespace.

        :param signed_before: it was made when the key had not expired, wherever that was
        :raises UnprocessableError: it does not hold, or is over something else
        """
        self._check_signature(signature, at=None if signed_before else self.now)
        self.packages.keep_signature(
            PackageSignatureTable(
                version_id=self.row.id, key_id=signature.key_id, envelope=signature.model_dump(), at=self.now
            )
        )
        self._note("sign", signature.key_id)
        return self._shown()

    def approve(self, digest: str, comment: str) -> PackageVersion:
        """Agree to the bytes of a version.

        :raises ConflictError: it is of other bytes by now
        :raises ForbiddenError: the caller sent them
        """
        self._require_digest(digest)
        if who(self.caller) in self.packages.uploaders(self.row):
            raise ForbiddenError("one who sent the archive cannot approve it; somebody else has to look at it")
        if self.row.state == "quarantined":
            raise ConflictError("a quarantined version is released first")
        if not any(item.by == who(self.caller) for item in self.packages.approvals(self.row)):
            self.packages.add(
                PackageApprovalTable(
                    version_id=self.row.id, by=who(self.caller), digest=digest, at=self.now, comment=comment
                )
            )
            self._note("approve", digest)
        return self._shown()

    def publish(self, digest: str) -> PackageVersion:
        """Let everybody who sees the namespace have a version.

        :raises ConflictError: it is of other bytes by now, or the rules of the namespace are not met
        """
        self._require_digest(digest)
        if self.row.state == "published":
            return self._shown()
        if self.row.state != "staged":
            raise ConflictError(f"the version is {self.row.state}, and only a staged one can be published")
        if missing := self.waiting():
            raise ConflictError("the version cannot be published yet", missing)
        self.row.published_at, self.row.published_by = self.now, who(self.caller)
        self._become("published", None)
        self._note("publish", digest)
        return self._shown()

    def yank(self, reason: str) -> PackageVersion:
        """Let nobody choose a version anew; who has chosen it keeps it.

        :raises ConflictError: it is not published
        """
        if self.row.state not in {"published", "yanked"}:
            raise ConflictError(f"the version is {self.row.state}, and only a published one can be yanked")
        if (self.row.state, self.row.reason) != ("yanked", reason):
            self._become("yanked", reason)
            self._note("yank", reason)
        return self._shown()

    def unyank(self) -> PackageVersion:
        """Let a version be chosen again.

        :raises ConflictError: it is neither yanked nor published
        """
        if self.row.state not in {"published", "yanked"}:
            raise ConflictError(f"the version is {self.row.state}, not yanked")
        if self.row.state == "yanked":
            self._become("published", None)
            self._note("unyank")
        return self._shown()

    def quarantine(self, reason: str) -> PackageVersion:
        """Let nobody have a version, also those who have chosen it."""
        if (self.row.state, self.row.reason) != ("quarantined", reason):
            if self.row.state != "quarantined":
                self.row.state_before = self.row.state
            self._become("quarantined", reason)
            self._note("quarantine", reason)
        return self._shown()

    def release(self) -> PackageVersion:
        """Let a version be again what it was before its quarantine."""
        if self.row.state == "quarantined":
            before, self.row.state_before = self.row.state_before or "staged", None
            self._become(before, None)
            self._note("release")
        return self._shown()

    def delete(self) -> str:
        """Leave nothing of a version but its name, which is never free again; give the hash of its archive."""
        if self.row.state == "deleted":
            return self.row.digest
        published = self.row.published_at is not None
        if published:
            self.caller.require_project_admin(self.package.namespace)
        self.row.state, self.row.reason, self.row.state_before = "deleted", None, None
        self.row.manifest, self.row.inspection, self.row.findings = {}, [], []
        self.row.summary = ""
        self.packages.forget_review(self.row.id)
        self.packages.put_facts(self.row.id, set())
        self._choose_latest()
        if published:
            ChangeRepository(self.session).add(self.package, self.row, self.now)
        self._note("delete", self.row.digest)
        return self.row.digest

    def waiting(self) -> tuple[str, ...]:
        """Say why a version cannot be published yet."""
        return (*self._missing(), *self._errors())

    def _missing(self) -> tuple[str, ...]:
        """Say what the rules of the namespace still ask for."""
        found = []
        lacking = self.rules.approvals - len(self.packages.approvals(self.row))
        if lacking > 0:
            found.append(f"{lacking} more must approve it who did not send it")
        if self.rules.signatures_required and not self._signed():
            found.append("a signature by a key of the namespace is missing")
        return tuple(found)

    def _errors(self) -> tuple[str, ...]:
        """Say what was found in the files that must not be shared."""
        errors = [item for item in self.row.findings if item["severity"] == "error"]
        return tuple(
            f"{item['file']}:{item.get('line', 1)}: {item['message']} ({item['rule']})"
            if item.get("file")
            else f"{item['message']} ({item['rule']})"
            for item in errors[:SHOWN_ERRORS]
        )

    def _signed(self) -> bool:
        for row in self.packages.signatures(self.row.id):
            try:
                self._check_signature(Signature.model_validate(row.envelope), at=row.at)
            except UnprocessableError:
                continue
            return True
        return False

    def _check_signature(self, signature: Signature, at: datetime | None) -> None:
        try:
            said = verify(signature, self.namespaces.keys(self.package.namespace), at=at)
        except SharingError as error:
            raise UnprocessableError(f"the signature is refused, {error.code}: {error.message}") from error
        stands = (self.package.namespace, self.package.name, self.row.version, self.row.digest, self.row.size)
        if (said.namespace, said.name, said.version, said.digest, said.size) != stands:
            signed = f"{said.namespace}/{said.name} {said.version} ({said.digest})"
            raise UnprocessableError(f"the signature is over {signed}, not over these bytes")

    def _require_digest(self, digest: str) -> None:
        if digest != self.row.digest:
            raise ConflictError(f"the version is of other bytes by now: its digest is {self.row.digest}")

    def _become(self, state: VersionState, reason: str | None) -> None:
        """Change the state, and tell of it those who import, once the version was published."""
        self.row.state, self.row.reason = state, reason
        self._choose_latest()
        if self.row.published_at is not None:
            ChangeRepository(self.session).add(self.package, self.row, self.now)

    def _choose_latest(self) -> None:
        self.session.flush()
        latest = latest_of(self.packages.versions(self.package.id))
        self.package.latest_id = latest.id if latest else None

    def _note(self, step: str, after: str | None = None) -> None:
        entity = f"{self.package.namespace}/{self.package.name}/{self.row.version}"
        note(self.session, f"dag_package.{step}", entity, after=after)

    def _shown(self) -> PackageVersion:
        self.session.flush()
        return VersionView(self.packages, self.rules, self.now).whole(self.package, self.row)
