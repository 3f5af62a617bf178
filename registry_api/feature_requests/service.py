"""Decide what may become of a request.

    open -> planned -> done | declined           by those who may write in the project
    open -> done | declined                      by them, too
    open -> withdrawn                            by its author
    planned, declined, done, withdrawn -> open   reopened by them

Whoever may read a project may ask, vote and comment in it. The same step twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from festaf.contract.feature_request import (
    EntryKind,
    FeatureRef,
    FeatureRequest,
    FeatureRequestEdit,
    NewFeatureRequest,
    Plan,
    RequestState,
)
from festaf.contract.http import Related
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from festaf.registry_api.feature_requests.repository import RequestRepository
from festaf.registry_api.feature_requests.shown import feature_link, href_of, link, show
from festaf.registry_api.feature_requests.tables import FeatureRequestTable
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.search.words import compact, words
from festaf.registry_api.secrets.masking import mask_text
from festaf.registry_api.table import content_sha256

MAY: dict[RequestState, frozenset[str]] = {
    "planned": frozenset({"open", "planned"}),
    "declined": frozenset({"open", "planned"}),
    "done": frozenset({"open", "planned"}),
    "withdrawn": frozenset({"open"}),
    "open": frozenset({"planned", "declined", "done", "withdrawn"}),
}
"""By the state to reach, those from which it is reached."""
STANDING = frozenset({"open", "planned", "declined"})


class RequestService:
    """Requests, for one caller."""

    def __init__(self, session: Session, caller: Caller, now: datetime) -> None:
        self.session = session
        self.caller = caller
        self.now = now
        self.requests = RequestRepository(session)

    def ask(self, asked: NewFeatureRequest, key: str | None) -> tuple[FeatureRequest, bool]:
        """Ask; tell whether the request is new. The asker votes for it.

        :raises NotFoundError: the caller may not read the project
        :raises ConflictError: the feature or a request for it stands already, or the key was used for another
        """
        if not self.caller.sight.sees(asked.project):
            raise NotFoundError(f"no project {asked.project} is known")
        name, content = compact(asked.name), content_sha256(asked.model_dump(mode="json"))
        lock(self.session, [f"feature request:{asked.project}:{name}", f"feature request by {self.caller.name}:{key}"])
        known = self.requests.by_key(self.caller.name, key) if key else None
        if known is not None:
            if known.asked_sha256 != content:
                raise ConflictError("this Idempotency-Key was used for another request", related=(link(known),))
            return self.shown([known])[0], False
        self._refuse_known(asked.project, name)
        request = FeatureRequestTable(
            uuid=uuid4(),
            name=asked.name,
            compact=name,
            words=_words(asked.name, asked.purpose),
            asked_by=self.caller.name,
            asked_at=self.now,
            asked_key=key,
            asked_sha256=content,
            state="open",
            version=1,
            votes=0,
            project=asked.project,
            purpose=mask_text(asked.purpose),
            wanted_by=asked.wanted_by,
            sources=[mask_text(source) for source in asked.sources],
        )
        self.requests.add(request)
        self.requests.vote(request, self.caller.name, self.now)
        self.requests.note(request, self.caller.name, self.now, "asked", request.purpose)
        self._audit(request, "asked", after=request.purpose)
        return self.shown([request])[0], True

    def get(self, uuid: UUID) -> FeatureRequest:
        """Give one.

        :raises NotFoundError: there is none that the caller may see
        """
        return self.shown([self.require(uuid)])[0]

    def edit(self, uuid: UUID, change: FeatureRequestEdit, version: int | None) -> FeatureRequest:
        """Change the text of an open request.

        :raises ForbiddenError: the caller is not its author
        :raises ConflictError: it is not open any more
        :raises StaleError: it changed since the caller read it
        """
        request = self.require(uuid, changing=True)
        self._require_author(request)
        self._require_version(request, version)
        if request.state != "open":
            raise ConflictError(f"the request is {request.state}; only an open one is edited", related=(link(request),))
        said = change.model_dump(exclude_unset=True)
        said = {name: value for name, value in said.items() if value is not None or name == "wanted_by"}
        if "purpose" in said:
            said["purpose"] = mask_text(said["purpose"])
        if "sources" in said:
            said["sources"] = [mask_text(source) for source in said["sources"]]
        if all(getattr(request, name) == value for name, value in said.items()):
            return self.shown([request])[0]
        before = {name: getattr(request, name) for name in said}
        for name, value in said.items():
            setattr(request, name, value)
        request.words = _words(request.name, request.purpose)
        self._audit(request, "edited", _text(before), _text(said))
        return self._changed(request, "edited", said.get("purpose"))

    def vote(self, uuid: UUID, *, wanted: bool) -> FeatureRequest:
        """Vote for a request, or take the vote back; each counts once.

        :raises ConflictError: it is decided
        """
        request = self.require(uuid, changing=True)
        if request.state not in {"open", "planned"}:
            raise ConflictError(f"the request is {request.state}; nobody votes on it", related=(link(request),))
        before = request.votes
        if wanted:
            self.requests.vote(request, self.caller.name, self.now)
        else:
            self.requests.unvote(request, self.caller.name)
        if request.votes != before:
            self._audit(request, "voted" if wanted else "unvoted", f"{before} votes", f"{request.votes} votes")
        return self.shown([request])[0]

    def comment(self, uuid: UUID, text: str, key: str | None) -> FeatureRequest:
        """Add a comment.

        :raises ConflictError: the key was used for another comment
        """
        request, text = self.require(uuid, changing=True), mask_text(text)
        new = self.requests.note(request, self.caller.name, self.now, "comment", text, key)
        if key is not None and self.requests.text_by_key(request, self.caller.name, key) != text:
            raise ConflictError("this Idempotency-Key was used for another comment", related=(link(request),))
        if new:
            self._audit(request, "comment", after=text)
        return self.shown([request])[0]

    def plan(self, uuid: UUID, plan: Plan, version: int | None) -> FeatureRequest:
        """Say who makes it until when."""
        request = self._deciding(uuid)
        by = plan.by or self.caller.name
        facts = {"planned_by": by, "planned_until": plan.until, "reason": None}
        said = by if plan.until is None else f"{by}, until {plan.until.isoformat()}"
        return self._step(request, "planned", facts, said, version)

    def decline(self, uuid: UUID, reason: str, version: int | None) -> FeatureRequest:
        """Say why it will not be made."""
        reason = mask_text(reason)
        return self._step(self._deciding(uuid), "declined", {"reason": reason}, reason, version)

    def fulfil(self, uuid: UUID, feature: FeatureRef, version: int | None) -> FeatureRequest:
        """Close it with the feature that was asked for, whatever its name.

        :raises ConflictError: there is no such feature that the caller may see
        """
        request = self._deciding(uuid)
        row = FeatureRepository(self.session).find(feature.project, feature.feature_set, feature.name)
        said = f"{feature.project}/{feature.feature_set}/{feature.name}"
        if row is None or row.deleted or not self.caller.sight.sees(feature.project):
            raise ConflictError(f"no feature {said} is known that could fulfil the request")
        facts = {
            "feature_project": feature.project,
            "feature_set": feature.feature_set,
            "feature_name": feature.name,
            "reason": None,
        }
        return self._step(request, "done", facts, said, version)

    def withdraw(self, uuid: UUID, reason: str, version: int | None) -> FeatureRequest:
        """Take an open request back; only its author may."""
        request = self.require(uuid, changing=True)
        self._require_author(request)
        reason = mask_text(reason)
        return self._step(request, "withdrawn", {"reason": reason}, reason, version)

    def reopen(self, uuid: UUID, reason: str, version: int | None) -> FeatureRequest:
        """Open a decided request again."""
        request = self._deciding(uuid)
        if request.state not in STANDING:
            lock(self.session, [f"feature request:{request.project}:{request.compact}"])
            self._refuse_standing(request)
        reason = mask_text(reason)
        nothing = ("planned_by", "planned_until", "feature_project", "feature_set", "feature_name")
        return self._step(request, "open", {"reason": reason, **dict.fromkeys(nothing)}, reason, version)

    def require(self, uuid: UUID, *, changing: bool = False) -> FeatureRequestTable:
        """Give the row of a request that the caller may see.

        :raises NotFoundError: there is none
        """
        request = self.requests.find(uuid, changing=changing)
        if request is None or not self.caller.sight.sees(request.project):
            raise NotFoundError(f"no feature request {uuid} is known")
        return request

    def shown(self, rows: Sequence[FeatureRequestTable]) -> list[FeatureRequest]:
        """Show requests as the caller sees them."""
        voted = self.requests.voted([row.id for row in rows], self.caller.name) if rows else set()
        waiting = {(row.project, row.compact) for row in rows if row.state in STANDING}
        appeared = self.requests.features_named(waiting) if waiting else {}
        return [
            show(
                row,
                voted=row.id in voted,
                appeared=appeared.get((row.project, row.compact)),
                sight=self.caller.sight,
            )
            for row in rows
        ]

    def _deciding(self, uuid: UUID) -> FeatureRequestTable:
        request = self.require(uuid, changing=True)
        self.caller.require_write(request.project)
        return request

    def _step(
        self,
        request: FeatureRequestTable,
        state: RequestState,
        facts: dict[str, Any],
        text: str,
        version: int | None,
    ) -> FeatureRequest:
        if request.state == state and all(getattr(request, name) == value for name, value in facts.items()):
            return self.shown([request])[0]
        self._require_version(request, version)
        if request.state not in MAY[state]:
            raise ConflictError(
                f"the request is {request.state}; it cannot become {state} from there", related=(link(request),)
            )
        kind: EntryKind = "reopened" if state == "open" else state
        self._audit(request, kind, request.state, f"{state}: {text}")
        for name, value in {**facts, "state": state, "decided_by": self.caller.name, "decided_at": self.now}.items():
            setattr(request, name, value)
        return self._changed(request, kind, text)

    def _changed(self, request: FeatureRequestTable, kind: EntryKind, text: str | None) -> FeatureRequest:
        request.version += 1
        self.session.flush()
        self.requests.note(request, self.caller.name, self.now, kind, text)
        return self.shown([request])[0]

    def _audit(
        self, request: FeatureRequestTable, kind: str, before: str | None = None, after: str | None = None
    ) -> None:
        entity = f"{request.project}/{request.name}"
        note(self.session, f"feature_request.{kind}", entity, before=before, after=after)

    def _require_author(self, request: FeatureRequestTable) -> None:
        if request.asked_by != self.caller.name:
            raise ForbiddenError(f"only {request.asked_by!r}, who asked for it, may do that")

    def _require_version(self, request: FeatureRequestTable, version: int | None) -> None:
        if version is not None and version != request.version:
            raise StaleError(f"the request was changed since: it is at version {request.version}, not {version}")

    def _refuse_known(self, project: str, name: str) -> None:
        feature = self.requests.features_named({(project, name)}).get((project, name))
        if feature is not None:
            said = f"{feature.project}/{feature.feature_set}/{feature.name}"
            raise ConflictError(f"the feature stands already: {said}", related=(feature_link(feature),))
        self._refuse_duplicate(row for row in self.requests.for_name(project, name) if row.state in STANDING)

    def _refuse_standing(self, request: FeatureRequestTable) -> None:
        rows = self.requests.for_name(request.project, request.compact)
        self._refuse_duplicate(row for row in rows if row.state in STANDING and row.id != request.id)

    def _refuse_duplicate(self, rows: Iterable[FeatureRequestTable]) -> None:
        for row in rows:
            why = f": {row.reason}" if row.state == "declined" and row.reason else ""
            related: tuple[Related, ...] = (link(row),)
            raise ConflictError(f"it was asked for already ({href_of(row)}, {row.state}){why}", related=related)


def _text(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in said.items())


def _words(*texts: str) -> str:
    """Write the words so that each is found by how it begins."""
    return "".join(f" {word}" for word in sorted({word for text in texts for word in words(text)}))
