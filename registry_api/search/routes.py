"""``/search/features``: find features by words and facts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from festaf.contract.model import Moment
from festaf.contract.search import FeatureSearch, SearchFilter
from festaf.registry_api.edge import Answered, Now
from festaf.registry_api.feature_requests.listing import requests_like
from festaf.registry_api.feature_requests.service import RequestService
from festaf.registry_api.search.service import FeatureFinder, Question

router = APIRouter(tags=["search"])
REQUESTS = 5


class SearchQuery(SearchFilter):
    """The query string of a search."""

    q: str = Field("", max_length=200, description="Words, in any order and any case; without any, filters alone")
    deleted: bool = Field(False, description="Find deleted features, too")
    written_since: Moment | None = Field(None, description="Last written then or later (with offset)")
    not_written_since: Moment | None = Field(None, description="Last written before that, or never")
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=2000)


@router.get("/search/features", response_model=FeatureSearch, summary="Search features")
async def search_features(answering: Answered, now: Now, asked: Annotated[SearchQuery, Query()]) -> Response:
    """Find features by words, the nearest first; when there is none, say what comes near and how to ask for it."""
    facts = SearchFilter.model_validate(asked.model_dump(include=set(SearchFilter.model_fields)))
    question = Question(asked.q, facts, asked.deleted, asked.written_since, asked.not_written_since)
    caller = answering.caller

    def read(session: Session) -> FeatureSearch:
        found = FeatureFinder(session, question, caller.sight).page(asked.cursor, asked.limit)
        if found.ask is None:
            return found
        asking = requests_like(RequestService(session, caller, now), asked.q, REQUESTS)
        return found.model_copy(update={"requests": asking})

    return await answering.for_caller().give(read)
