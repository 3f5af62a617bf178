"""Calls about what is searched and what is wished for: find features, ask for one, vote, decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import TypeAdapter

from festaf.client.answer import read
from festaf.client.sender import PAGE_SIZE, Sender
from festaf.contract.feature_request import FeatureRequest
from festaf.contract.http import API, Page
from festaf.contract.search import FeatureSearch, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from festaf.client.sender import Params
    from festaf.contract.feature import FeatureSummary

REQUESTS = f"{API}/feature-requests"
SEARCH = f"{API}/search/features"
MOST_PAGES = 100
"""Of one search: each looks at a bounded number of features, so that a rare match may take several."""
_SEARCH = TypeAdapter(FeatureSearch)
_REQUEST = TypeAdapter(FeatureRequest)
_REQUESTS = TypeAdapter(Page[FeatureRequest])


class WishingClient(Sender):
    """A connection over which features are searched and asked for."""

    def search(self, asked: Mapping[str, str | list[str] | None], *, limit: int = 20) -> FeatureSearch:
        """Find features by words (``q``) and facts; the parameters are those of ``GET /search/features``."""
        items: list[Hit] = []
        near: tuple[FeatureSummary, ...] = ()
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = read(
                self._get(SEARCH, {**asked, "limit": min(limit - len(items), PAGE_SIZE), "cursor": cursor}), _SEARCH
            )
            items += page.items
            cursor, near = page.cursor, page.near
            if cursor is None or len(items) >= limit:
                break
        return page.model_copy(update={"items": tuple(items), "cursor": cursor, "near": near})

    def feature_requests(
        self,
        *,
        query: str | None = None,
        project: str | None = None,
        states: Sequence[str] = (),
        sort: Literal["votes", "newest"] = "votes",
    ) -> Iterator[FeatureRequest]:
        """List feature requests, page by page."""
        asked: Params = {"q": query, "project": project, "state": list(states) or None, "sort": sort}
        yield from self._pages(REQUESTS, asked, _REQUESTS)

    def ask_for_feature(self, asked: Mapping[str, object], *, key: str) -> FeatureRequest:
        """Ask for a feature that does not exist.

        :param key: tells this request from others, so that it may be sent twice
        :raises InvalidError: the feature or a request for it stands already
        """
        return self._send("POST", "", asked, {"Idempotency-Key": key})

    def vote_for_feature(self, request_id: str, *, wanted: bool = True) -> FeatureRequest:
        """Vote for a request, or take the vote back."""
        return self._send("PUT" if wanted else "DELETE", f"/{quote(request_id, safe='')}/vote", None, {})

    def comment_on_request(self, request_id: str, text: str, *, key: str) -> FeatureRequest:
        """Comment on a request.

        :param key: tells this comment from others, so that it may be sent twice
        """
        return self._send("POST", f"/{quote(request_id, safe='')}/comments", {"text": text}, {"Idempotency-Key": key})

    def decide_request(
        self,
        request_id: str,
        step: Literal["plan", "decline", "fulfil", "reopen", "withdraw"],
        said: Mapping[str, object],
    ) -> FeatureRequest:
        """Take a step with a request; the same step again changes nothing."""
        return self._send("POST", f"/{quote(request_id, safe='')}/{step}", said, {})

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]
    ) -> FeatureRequest:
        content = json.dumps(body).encode() if body is not None else None
        named = {**headers, "Content-Type": "application/json"} if body is not None else dict(headers)
        request = self._http.build_request(method, self.url + REQUESTS + path, content=content, headers=named)
        return read(self._call(request), _REQUEST)
