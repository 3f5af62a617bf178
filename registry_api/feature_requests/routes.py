"""``/feature-requests``: ask for features that do not exist, and say what becomes of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field, ValidationError

from festaf.contract.feature_request import (
    FeatureRef,
    FeatureRequest,
    FeatureRequestEdit,
    NewFeatureRequest,
    Plan,
    Reason,
    Remark,
    RequestEntry,
    RequestState,
)
from festaf.contract.http import Page
from festaf.contract.model import Model
from festaf.registry_api.edge import Body, Cursor, Limit, Now, Reader, Reading, Writer, Writing
from festaf.registry_api.errors import StaleError, UnconditionalError, UnreadableEventError
from festaf.registry_api.feature_requests.listing import list_entries, list_requests
from festaf.registry_api.feature_requests.repository import Order
from festaf.registry_api.feature_requests.service import RequestService
from festaf.registry_api.lineage.body import parse_json
from festaf.registry_api.lineage.reading import lines_of

router = APIRouter(prefix="/feature-requests", tags=["feature requests"])
Shape = TypeVar("Shape", bound=BaseModel)
Id = Annotated[UUID, Path(alias="request_id")]
TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class RequestFilter(Model):
    """Which requests are asked for."""

    project: str | None = Field(None, max_length=64)
    state: tuple[RequestState, ...] = ()
    asked_by: str | None = Field(None, max_length=500)
    q: str | None = Field(None, max_length=200, description="Words of name and purpose, or how they begin")
    sort: Order = "votes"
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)


def _sent(shape: type[Shape]) -> Any:
    """Read the body as a model, within its bound, also when it is compressed."""

    def read(body: Body) -> Shape:
        try:
            return shape.model_validate(parse_json(body))
        except ValidationError as error:
            raise UnreadableEventError("the body is not what was asked for", lines_of(error)) from error

    return Depends(read)


def _takes(shape: type[BaseModel]) -> dict[str, Any]:
    schema = shape.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _key(
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, description="Send it twice, make one")
    ] = None,
) -> str | None:
    return key


def _version(
    tag: Annotated[str | None, Header(alias="If-Match", max_length=100, description="The ETag of what changes")] = None,
) -> int | None:
    if tag is None or tag == "*":
        return None
    if not (found := TAG.fullmatch(tag.strip())):
        raise StaleError("If-Match holds no ETag that a request ever had")
    return int(found[1])


Key = Annotated[str | None, Depends(_key)]
Version = Annotated[int | None, Depends(_version)]


def _service(caller: Reader, session: Writing, now: Now) -> RequestService:
    return RequestService(session, caller, now)


def _deciding(caller: Writer, session: Writing, now: Now) -> RequestService:
    return RequestService(session, caller, now)


Asking = Annotated[RequestService, Depends(_service, scope="function")]
"""For those who may read."""
Deciding = Annotated[RequestService, Depends(_deciding, scope="function")]
"""For those who may write somewhere; the service asks where. It stands before the body: strangers send none."""


def _tagged(found: FeatureRequest, response: Response) -> FeatureRequest:
    response.headers["ETag"] = f'"{found.version}"'
    return found


@router.get("", summary="List feature requests")
def get_requests(
    caller: Reader, session: Reading, now: Now, asked: Annotated[RequestFilter, Query()]
) -> Page[FeatureRequest]:
    """List what was asked for in the projects that one may see, by votes or the newest first."""
    return list_requests(RequestService(session, caller, now), **asked.model_dump())


@router.post(
    "",
    status_code=201,
    openapi_extra=_takes(NewFeatureRequest),
    summary="Ask for a feature",
    responses={200: {"description": "The same key asked for it before", "model": FeatureRequest}},
)
def post_request(
    service: Asking, asked: Annotated[NewFeatureRequest, _sent(NewFeatureRequest)], key: Key, response: Response
) -> FeatureRequest:
    """Ask for a feature that does not exist; 200 when the same key asked for it before."""
    found, new = service.ask(asked, key)
    response.status_code = 201 if new else 200
    response.headers["Location"] = found.href
    return _tagged(found, response)


@router.get("/{request_id}", summary="Show a feature request")
def get_request(uuid: Id, caller: Reader, session: Reading, now: Now, response: Response) -> FeatureRequest:
    """Show a request with its state and votes, and whether a feature of its name appeared."""
    return _tagged(RequestService(session, caller, now).get(uuid), response)


@router.get("/{request_id}/entries", summary="List what happened to a feature request")
def get_entries(
    uuid: Id, caller: Reader, session: Reading, now: Now, limit: Limit = 100, cursor: Cursor = None
) -> Page[RequestEntry]:
    """List steps and comments, the newest first."""
    return list_entries(RequestService(session, caller, now), uuid, limit, cursor)


@router.patch("/{request_id}", openapi_extra=_takes(FeatureRequestEdit), summary="Edit a feature request")
def patch_request(
    uuid: Id,
    service: Asking,
    change: Annotated[FeatureRequestEdit, _sent(FeatureRequestEdit)],
    version: Version,
    response: Response,
    tag: Annotated[str | None, Header(alias="If-Match", include_in_schema=False)] = None,
) -> FeatureRequest:
    """Change the text of an open request of one's own; If-Match must name what is changed."""
    if tag is None:
        raise UnconditionalError("send If-Match with the ETag of the request that you read")
    return _tagged(service.edit(uuid, change, version), response)


@router.put("/{request_id}/vote", summary="Vote for a feature request")
def put_vote(uuid: Id, service: Asking, response: Response) -> FeatureRequest:
    """Want it, too; each principal counts once."""
    return _tagged(service.vote(uuid, wanted=True), response)


@router.delete("/{request_id}/vote", summary="Take a vote back")
def delete_vote(uuid: Id, service: Asking, response: Response) -> FeatureRequest:
    """Want it no more; without a vote nothing changes."""
    return _tagged(service.vote(uuid, wanted=False), response)


@router.post("/{request_id}/comments", openapi_extra=_takes(Remark), summary="Comment on a feature request")
def post_comment(
    uuid: Id, service: Asking, remark: Annotated[Remark, _sent(Remark)], key: Key, response: Response
) -> FeatureRequest:
    """Add a comment; the same key adds it once."""
    return _tagged(service.comment(uuid, remark.text, key), response)


@router.post("/{request_id}/withdraw", openapi_extra=_takes(Reason), summary="Withdraw a feature request")
def post_withdrawal(
    uuid: Id, service: Asking, said: Annotated[Reason, _sent(Reason)], version: Version, response: Response
) -> FeatureRequest:
    """Take back an open request of one's own."""
    return _tagged(service.withdraw(uuid, said.reason, version), response)


@router.post("/{request_id}/plan", openapi_extra=_takes(Plan), summary="Plan a feature request")
def post_plan(
    uuid: Id, service: Deciding, plan: Annotated[Plan, _sent(Plan)], version: Version, response: Response
) -> FeatureRequest:
    """Say who makes it, and until when."""
    return _tagged(service.plan(uuid, plan, version), response)


@router.post("/{request_id}/decline", openapi_extra=_takes(Reason), summary="Decline a feature request")
def post_refusal(
    uuid: Id, service: Deciding, said: Annotated[Reason, _sent(Reason)], version: Version, response: Response
) -> FeatureRequest:
    """Say why it will not be made."""
    return _tagged(service.decline(uuid, said.reason, version), response)


@router.post("/{request_id}/fulfil", openapi_extra=_takes(FeatureRef), summary="Close a feature request")
def post_fulfilment(
    uuid: Id, service: Deciding, feature: Annotated[FeatureRef, _sent(FeatureRef)], version: Version, response: Response
) -> FeatureRequest:
    """Name the feature that was asked for and exists now."""
    return _tagged(service.fulfil(uuid, feature, version), response)


@router.post("/{request_id}/reopen", openapi_extra=_takes(Reason), summary="Reopen a feature request")
def post_reopening(
    uuid: Id, service: Deciding, said: Annotated[Reason, _sent(Reason)], version: Version, response: Response
) -> FeatureRequest:
    """Open a request again that was planned or decided."""
    return _tagged(service.reopen(uuid, said.reason, version), response)
