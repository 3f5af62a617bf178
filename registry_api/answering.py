"""Answer one request that reads: as before, or from one state of the database."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.orm import Session

from festaf.registry_api.access.caller import Caller
from festaf.registry_api.answers import Answer, Answers, Kept, Source, kept_answer, kept_model, write
from festaf.registry_api.changes import follow_subjects, followed
from festaf.registry_api.database import Database
from festaf.registry_api.state import State, snapshot

Asked = TypeVar("Asked", bound=BaseModel)


class Answering:
    """Answers one request that reads: as before if nothing was committed since, else from one state of the database."""

    def __init__(self, request: Request, database: Database, caller: Caller) -> None:
        self.headers = request.headers
        self.database = database
        self.answers: Answers = request.app.state.answers
        self.caller = caller
        self.question: tuple[Hashable, ...] = (request.scope["path"], request.scope["query_string"], caller.sight)

    def for_caller(self) -> Answering:
        """Keep the answer for this caller alone: it tells what they did themselves."""
        self.question = (*self.question, self.caller.kind, self.caller.name)
        return self

    async def give(
        self,
        read: Callable[[Session], Asked],
        again: Callable[[Asked], Asked] | None = None,
        *,
        follows: bool = False,
    ) -> Response:
        """Answer.

        :param read: tells what the database says, to all who may see the same
        :param again: draws anew what changes with the time in something that was read; the same object if nothing does
        :param follows: ``read`` names with ``changes.follow`` all that its answer depends on
        """
        state = self.database.state()
        found = self.answers.find(self.question, state) if state is not None else None
        answer = _again(found, again) if found else await run_in_threadpool(self._read, read, again, state, follows)
        headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if answer.etag in self.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(answer.body, headers=headers, media_type="application/json")

    def _read(
        self,
        read: Callable[[Session], Asked],
        again: Callable[[Asked], Asked] | None,
        state: State | None,
        follows: bool,
    ) -> Answer:
        with self.database.open_steady() as session:
            if not self.database.sqlite:
                state = snapshot(session)
            kept = self._kept(session, state) if state is not None else None
            if kept:
                return _again(kept, again)
            if follows:
                follow_subjects(session)
            model = read(session)
            source = self._source(session, state) if state is not None else None
        shown = again(model) if again else model
        answer = write(shown)
        own = self._own(state)
        if own is not None or source:
            kept = kept_answer(own, answer, source) if shown is model else kept_model(own, model, answer, source)
            self.answers.keep(self.question, kept)
        return answer

    def _kept(self, session: Session, state: State) -> Kept | None:
        """Give what was answered before, if what was committed since does not concern it."""
        kept = self.answers.last(self.question)
        if kept is None or kept.state == state:
            return kept
        if kept.source is None:
            return None
        mark = self.database.changes.mark(session, state)
        self.database.changes.learn(session, mark)
        if self.database.changes.concern(kept.source.subjects, kept.source.mark):
            return None
        fresh = replace(kept, state=self._own(state), source=Source(kept.source.subjects, mark))
        self.answers.keep(self.question, fresh)
        return fresh

    def _source(self, session: Session, state: State) -> Source | None:
        subjects = followed(session)
        return None if subjects is None else Source(subjects, self.database.changes.mark(session, state))

    def _own(self, state: State | None) -> State | None:
        """Give the state that was read.

        On SQLite the number was read before and after: if it is the same, the transaction between read that state.
        """
        return state if not self.database.sqlite or self.database.state() == state else None


def _again(kept: Kept, again: Callable[[Any], BaseModel] | None) -> Answer:
    if kept.answer is not None:
        return kept.answer
    assert kept.model is not None
    assert again is not None
    return write(again(kept.model))
