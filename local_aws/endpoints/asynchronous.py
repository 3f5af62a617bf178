"""Asynchronous invocations: input from S3, answers and failures to S3, news to SNS."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from festaf.local_aws.endpoints.invoking import Invoker, Question
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud

log = logging.getLogger(__name__)

DEFAULT_SECONDS = 900
"""InvocationTimeoutSeconds when it is not given."""
LIFETIME = 21_600
"""RequestTTLSeconds when it is not given."""
_THREADS = 4


@dataclass(frozen=True)
class _Request:
    """One request that waits or runs."""

    region: str
    asked: Mapping[str, Any]
    config: Mapping[str, Any]
    inference_id: str
    received: float
    output: str
    failure: str | None


class AsyncQueue:
    """Runs what was asked, a few at a time; what waits is lost when the server ends."""

    def __init__(self, cloud: Cloud, clock: Clock, invoker: Invoker) -> None:
        self._cloud = cloud
        self._clock = clock
        self._invoker = invoker
        self._lock = threading.Lock()
        self._pool = self._new_pool()

    def take(self, region: str, asked: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
        """Queue a request, and say where its answer will be.

        :param asked: InvokeEndpointAsync's parameters
        :param config: the endpoint's AsyncInferenceConfig
        """
        output = config["OutputConfig"]
        name = asked.get("Filename") or str(uuid.uuid4())
        if asked.get("S3OutputPathExtension"):
            name = f"{asked['S3OutputPathExtension'].strip('/')}/{name}"
        answers, failures = output.get("S3OutputPath"), output.get("S3FailurePath")
        if not answers:
            raise ApiError("ValidationError", "The endpoint's AsyncInferenceConfig has no S3OutputPath.")
        request = _Request(
            region=region,
            asked=asked,
            config=config,
            inference_id=asked.get("InferenceId") or str(uuid.uuid4()),
            received=self._clock.now(),
            output=f"{answers.rstrip('/')}/{name}" + ("" if asked.get("Filename") else ".out"),
            failure=f"{failures.rstrip('/')}/{name}-error.out" if failures else None,
        )
        with self._lock:
            self._pool.submit(self._run, request)
        return {
            "InferenceId": request.inference_id,
            "OutputLocation": request.output,
            "FailureLocation": request.failure,
        }

    def forget(self) -> None:
        """Drop what waits; what runs ends by itself."""
        with self._lock:
            old, self._pool = self._pool, self._new_pool()
        old.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End; what waits is dropped."""
        with self._lock:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="async-inference")

    def _run(self, request: _Request) -> None:
        try:
            content_type = self._answer(request)
        except ApiError as problem:
            self._fail(request, f"ClientError: {problem.message}")
        except (ObjectStoreError, ValueError) as problem:
            self._fail(request, f"ClientError: {problem}")
        except Exception as problem:
            # Nobody waits for this thread: what is not written down here is lost.
            log.exception("An asynchronous invocation of %s failed", request.asked["EndpointName"])
            self._fail(request, f"InternalServerError: {problem}")
        else:
            self._tell(request, content_type, None)

    def _answer(self, request: _Request) -> str:
        asked, objects = request.asked, Objects(self._cloud, request.region)
        body = asked["Body"] if "Body" in asked else objects.get(*split_uri(asked["InputLocation"]))
        if self._clock.now() - request.received > asked.get("RequestTTLSeconds", LIFETIME):
            raise ValueError("The request expired before it was processed.")
        _, answered = self._invoker.ask(
            Question(
                region=request.region,
                endpoint=asked["EndpointName"],
                body=body,
                content_type=asked.get("ContentType"),
                accept=asked.get("Accept"),
                attributes=asked.get("CustomAttributes"),
                inference_id=request.inference_id,
                timeout=asked.get("InvocationTimeoutSeconds", DEFAULT_SECONDS),
            )
        )
        objects.put(*split_uri(request.output), answered.body, answered.content_type)
        return answered.content_type

    def _fail(self, request: _Request, reason: str) -> None:
        log.info("An asynchronous invocation of %s failed: %s", request.asked["EndpointName"], reason)
        if request.failure is not None:
            try:
                bucket, key = split_uri(request.failure)
                Objects(self._cloud, request.region).put(bucket, key, reason.encode(), "text/plain")
            except ObjectStoreError as problem:
                log.warning("The failure cannot be written to %s: %s", request.failure, problem)
        self._tell(request, None, reason)

    def _tell(self, request: _Request, content_type: str | None, reason: str | None) -> None:
        """Publish the news, if the endpoint is to."""
        topics = request.config["OutputConfig"].get("NotificationConfig", {})
        topic = topics.get("ErrorTopic" if reason else "SuccessTopic")
        if not topic:
            return
        asked = request.asked
        news: dict[str, Any] = {
            "awsRegion": request.region,
            "eventTime": _shown(self._clock.now()),
            "receivedTime": _shown(request.received),
            "invocationStatus": "Failed" if reason else "Completed",
            "requestParameters": {
                "contentType": asked.get("ContentType"),
                "endpointName": asked["EndpointName"],
                "inputLocation": asked.get("InputLocation"),
            },
            "inferenceId": request.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if reason:
            news["failureReason"] = reason
        else:
            news["responseParameters"] = {"contentType": content_type, "outputLocation": request.output}
        try:
            self._cloud.client("sns", request.region).publish(TopicArn=topic, Message=json.dumps(news))
        except (BotoCoreError, ClientError) as problem:
            log.warning("The news cannot be published to %s: %s", topic, problem)


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
