"""Ask an endpoint: read the payload, send it, and bring the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from festaf.provider.endpoints.given import without_none
from festaf.provider.errors import InputError, RefusedError
from festaf.provider.hooks.endpoint import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.provider.artifacts.endpoint import Endpoint
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.endpoints.smoke import SmokeRequest
    from festaf.provider.hooks.endpoint import AsyncAnswer, EndpointHook

INPUTS = "festaf-inputs"
"""Folder under an asynchronous endpoint's output path where payloads are put that are not in S3 already."""

ASYNC_SECONDS = 60.0


@dataclass(frozen=True)
class Payload:
    """What is sent to an endpoint."""

    content: Any
    """Text as it is, bytes as they are, an ``s3://`` URI as that object's content, anything else as JSON."""
    content_type: str | None = None

    @property
    def s3_uri(self) -> str | None:
        """Give where the payload lies, if it lies in S3."""
        return self.content if isinstance(self.content, str) and self.content.startswith("s3://") else None

    @property
    def type(self) -> str:
        """Give the content type: what was said, else CSV for text and JSON for the rest."""
        if self.content_type:
            return self.content_type
        return "text/csv" if isinstance(self.content, str | bytes) else "application/json"

    def body(self, hook: EndpointHook) -> bytes:
        """Give the bytes.

        :raises InputError: there is no such object, or JSON cannot hold the content
        """
        if isinstance(self.content, bytes):
            return self.content
        if self.s3_uri:
            found = hook.read_object(self.s3_uri)
            if found is None:
                raise InputError(f"There is no payload {self.s3_uri}")
            return found
        if isinstance(self.content, str):
            return self.content.encode()
        try:
            return json.dumps(self.content).encode()
        except (TypeError, ValueError) as error:
            raise InputError(f"The payload cannot be written as JSON: {error}") from error


@dataclass(frozen=True)
class Invocation:
    """One request to one endpoint.

    :param settings: further fields of the request, as AWS spells them: Accept, TargetVariant, ...
    """

    hook: EndpointHook
    endpoint: str
    payload: Payload
    patience: Patience
    settings: Mapping[str, Any] = field(default_factory=dict)

    def now(self) -> Answer:
        """Ask and give the answer; throttling, an endpoint that is busy or not ready yet is waited out.

        :raises RefusedError: the model answered with an error
        :raises ServiceError: AWS did not answer until the deadline
        """
        body = self.payload.body(self.hook)
        return self.patience.persist(
            lambda: self.hook.invoke(self.endpoint, body, ContentType=self.payload.type, **self.settings)
        )

    def later(self) -> AsyncAnswer:
        """Ask an asynchronous endpoint, and give where its answer will be.

        :raises InputError: the endpoint is not asynchronous
        """
        uri = self.payload.s3_uri or self._put()
        return self.patience.persist(
            lambda: self.hook.invoke_async(self.endpoint, uri, ContentType=self.payload.type, **self.settings)
        )

    def wait(self, promised: AsyncAnswer) -> Answer:
        """Wait for the answer of an asynchronous endpoint.

        :raises RefusedError: the model failed, told in its own words
        :raises ServiceError: there is no answer until the deadline
        """
        from festaf.provider.errors import ServiceError

        def late() -> ServiceError:
            return ServiceError(
                f"Endpoint {self.endpoint} has put no answer to {promised.output_s3_uri} "
                f"after {self.patience.seconds:.0f} s"
            )

        return self.patience.until(lambda: self._arrived(promised), late)

    def _arrived(self, promised: AsyncAnswer) -> Answer | None:
        found = self.hook.read_object(promised.output_s3_uri)
        if found is not None:
            return Answer(found)
        failed = self.hook.read_object(promised.failure_s3_uri) if promised.failure_s3_uri else None
        if failed is not None:
            said = failed.decode(errors="replace").strip()
            raise RefusedError(f"The model of endpoint {self.endpoint} failed: {said}", code="ModelError")
        return None

    def _put(self) -> str:
        """Put the payload where an asynchronous endpoint can read it; the same payload is the same object."""
        found = self.hook.find(self.endpoint)
        config = _asynchronous(self.hook, found) if found else None
        prefix = ((config or {}).get("OutputConfig") or {}).get("S3OutputPath")
        if not prefix:
            raise InputError(f"Endpoint {self.endpoint} is not asynchronous, or there is none: leave asynchronous out")
        body = self.payload.body(self.hook)
        uri = f"{prefix.rstrip('/')}/{INPUTS}/{sha256_of(body.hex())}"
        self.hook.write_object(uri, body, self.payload.type)
        return uri


def ask(
    hook: EndpointHook, found: Endpoint, request: SmokeRequest, patience: Patience | None = None
) -> Iterator[tuple[str, str]]:
    """Send a sample request, and give each variant whose answer is not as expected, with what is wrong.

    :param found: the endpoint, as described
    :param patience: how long faults of AWS are waited out, and an asynchronous endpoint; None tries once, and waits a
        minute for an asynchronous one
    :raises ServiceError: AWS throttles or fails; ask again
    """
    from festaf.provider.endpoints.patience import Patience

    asynchronous = _asynchronous(hook, found) is not None
    patience = patience or Patience(hook.log, ASYNC_SECONDS if asynchronous else 0.0, 2.0)
    names = [request.variant] if request.variant else [variant.name for variant in found.variants]
    for name in names if not asynchronous else names[:1]:
        settings = without_none({"Accept": request.accept, "TargetVariant": None if asynchronous else name})
        invocation = Invocation(hook, found.name, Payload(request.payload, request.content_type), patience, settings)
        try:
            answer = invocation.wait(invocation.later()) if asynchronous else invocation.now()
        except RefusedError as error:
            yield name, str(error)
        else:
            if wrong := request.wrong(answer):
                yield name, wrong


def _asynchronous(hook: EndpointHook, found: Endpoint) -> Mapping[str, Any] | None:
    if found.asynchronous or not found.configuration_name:
        return found.asynchronous
    configuration = hook.find_configuration(found.configuration_name)
    return configuration.asynchronous if configuration else None
