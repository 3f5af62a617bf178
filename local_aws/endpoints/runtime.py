"""SageMaker's runtime: the operations by which clients ask models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.endpoints.invoking import Invoker, Question
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.endpoints.asynchronous import AsyncQueue

MOST_BYTES = 6_291_456
"""What the body of one invocation may have, as AWS bounds it."""

_NOT_HERE = {
    "TargetModel": "endpoints with several models",
    "InferenceComponentName": "inference components",
    "SessionId": "sessions",
}


class RuntimeService:
    """Answers InvokeEndpoint and InvokeEndpointAsync."""

    name = "sagemaker-runtime"

    def __init__(self, invoker: Invoker, queue: AsyncQueue) -> None:
        self._invoker = invoker
        self._queue = queue
        self.operations: Mapping[str, Handler] = {
            "InvokeEndpoint": self.invoke,
            "InvokeEndpointAsync": self.invoke_async,
            "InvokeEndpointWithResponseStream": self.invoke_with_stream,
        }

    def invoke(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a model and wait for its answer."""
        if len(request["Body"]) > MOST_BYTES:
            raise ApiError("413", f"HTTP content length exceeded {MOST_BYTES} bytes.", 413)
        for member, what in _NOT_HERE.items():
            if member in request:
                raise _invalid(f"The local AWS does not serve {what}: leave {member} out.")
        name = request["EndpointName"]
        if self._invoker.asynchronous(call.region, name) is not None:
            raise _invalid(f"Endpoint {name} is asynchronous: use InvokeEndpointAsync.")
        question = Question(
            region=call.region,
            endpoint=name,
            body=request["Body"],
            content_type=request.get("ContentType"),
            accept=request.get("Accept"),
            attributes=request.get("CustomAttributes"),
            inference_id=request.get("InferenceId"),
            variant=request.get("TargetVariant"),
            container=request.get("TargetContainerHostname"),
        )
        variant, answered = self._invoker.ask(question)
        return {
            "Body": answered.body,
            "ContentType": answered.content_type,
            "InvokedProductionVariant": variant,
            "CustomAttributes": answered.headers.get("x-amzn-sagemaker-custom-attributes"),
        }

    def invoke_async(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Take a request whose answer will be in S3."""
        name = request["EndpointName"]
        config = self._invoker.asynchronous(call.region, name)
        if config is None:
            raise _invalid(f"Endpoint {name} is not asynchronous: use InvokeEndpoint.")
        if ("InputLocation" in request) == ("Body" in request):
            raise _invalid("Either InputLocation or a body must be given, and not both.")
        return self._queue.take(call.region, request, config)

    def invoke_with_stream(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Refuse: no local model streams."""
        raise _invalid("The local AWS does not stream answers: use InvokeEndpoint.")


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationError", message)
