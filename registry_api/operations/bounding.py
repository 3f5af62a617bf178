"""Bound the JSON that the framework reads by itself; the routes of events and archives bound theirs on their own."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from festaf.registry_api.settings import Settings


class BoundedBodies:
    """Refuse a JSON body as soon as more of it came than the settings allow, whatever its length was said to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count what comes."""
        if scope["type"] != "http" or not _is_json(scope):
            await self.app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.settings
        came = 0

        async def receiving() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > settings.max_body_bytes:
                # FastAPI turns any other error that comes up while it reads into a 400.
                raise HTTPException(413, f"the body is larger than {settings.max_body_bytes} bytes")
            return message

        await self.app(scope, receiving, send)


def _is_json(scope: Scope) -> bool:
    media = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")
