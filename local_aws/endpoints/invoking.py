"""One invocation: the variant is chosen, asked, counted and captured."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.endpoints.capture import Captured
from festaf.local_aws.endpoints.conductor import ENDPOINT, status_of
from festaf.local_aws.endpoints.fleet import BusyError, ModelUnavailableError, choose
from festaf.local_aws.endpoints.variants import weights_of
from festaf.local_aws.service import ACCOUNT, ApiError
from festaf.local_aws.serving.worker import INVOCATION_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.endpoints.capture import DataCapture
    from festaf.local_aws.endpoints.conductor import Conductor
    from festaf.local_aws.endpoints.fleet import Variant
    from festaf.local_aws.endpoints.metrics import InvocationMetrics
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.serving import Answered

SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"})
"""The statuses in which an endpoint answers."""


@dataclass(frozen=True)
class Question:
    """What a client asks a model."""

    region: str
    endpoint: str
    body: bytes
    content_type: str | None = None
    accept: str | None = None
    attributes: str | None = None
    inference_id: str | None = None
    variant: str | None = None
    """The variant that shall answer; None: by weight."""
    container: str | None = None
    """The container that shall answer, of an endpoint with several to choose from."""
    timeout: float = INVOCATION_SECONDS

    def headers(self) -> dict[str, str]:
        """Give the headers that AWS passes on to the container."""
        given = {
            "X-Amzn-SageMaker-Custom-Attributes": self.attributes,
            "X-Amzn-SageMaker-Inference-Id": self.inference_id,
        }
        return {name: value for name, value in given.items() if value}


class Invoker:
    """Asks the models of endpoints; may be used from several threads."""

    def __init__(
        self,
        resources: Resources,
        faults: Faults,
        conductor: Conductor,
        metrics: InvocationMetrics,
        capture: DataCapture,
    ) -> None:
        self._resources = resources
        self._faults = faults
        self._conductor = conductor
        self._metrics = metrics
        self._capture = capture

    def asynchronous(self, region: str, name: str) -> Mapping[str, Any] | None:
        """Give the AsyncInferenceConfig of an endpoint that answers; None when it answers at once.

        :raises ApiError: ValidationError or ServiceUnavailable, when it does not answer
        """
        with self._conductor.lock:
            config: Mapping[str, Any] | None = self._serving(region, name)["asynchronous"]
            return config

    def ask(self, question: Question) -> tuple[str, Answered]:
        """Ask the model, and give its answer with the name of the variant that gave it.

        :raises ApiError: ModelError, when there was none or it was no success; ValidationError, ServiceUnavailable or
            ThrottlingException, when the model could not be asked
        """
        variant, capture = self._route(question)
        began = time.perf_counter()
        status = 500
        try:
            container, answered = variant.invoke(
                question.body,
                question.content_type,
                question.accept,
                headers=question.headers(),
                timeout=question.timeout,
                target=question.container,
            )
            status = answered.status
        except KeyError:
            raise _invalid(f"The container {question.container} is none of endpoint {question.endpoint}.") from None
        except ModelUnavailableError as problem:
            raise _model_error(question, 0, "primary", str(problem)) from None
        finally:
            variant.leave()
            took = (time.perf_counter() - began) * 1e6
            self._metrics.count(question.region, question.endpoint, variant.name, status, took)
        if not 200 <= status < 300:
            raise _model_error(question, status, container, answered.body.decode(errors="replace"))
        self._capture.take(
            capture,
            (question.region, question.endpoint, variant.name),
            Captured(question.body, question.content_type),
            Captured(answered.body, answered.content_type),
            question.inference_id,
            question.attributes,
        )
        return variant.name, answered

    def _route(self, question: Question) -> tuple[Variant, Mapping[str, Any] | None]:
        """Choose the variant that is asked and enter it, and give it with the endpoint's DataCaptureConfig."""
        with self._conductor.lock:
            facts = self._serving(question.region, question.endpoint)
            endpoint = self._resources.find(ENDPOINT, question.region, question.endpoint)
            assert endpoint is not None  # _serving has found it, and the lock is held.
            fleet = facts["fleet"]
            change = facts["change"]
            capture = facts["capture"]
            if change and random.random() < _share(change):
                fleet, capture = change["fleet"], change["capture"]
            weights = weights_of(fleet["variants"])
            name = question.variant or choose(weights, random.random())
            if name not in weights:
                raise _invalid(f"Variant {name} not found for Request")
            variant = self._conductor.fleet(endpoint, fleet).variants[name]
            try:
                # While the lock is held: a fleet that is given up lets those finish that have entered.
                variant.enter()
            except BusyError:
                raise ApiError("ThrottlingException", "Rate exceeded", 429) from None
            return variant, capture

    def _serving(self, region: str, name: str) -> dict[str, Any]:
        """Give what an endpoint that answers keeps; the conductor's lock must be held."""
        endpoint = self._resources.find(ENDPOINT, region, name)
        if endpoint is not None:
            self._conductor.hurry(endpoint)
            endpoint = self._resources.find(ENDPOINT, region, name)
        status = None
        if endpoint is not None:
            status = self._faults.status_of(ENDPOINT, name) or status_of(endpoint)
        if status == "OutOfService":
            raise ApiError("ServiceUnavailable", f"Endpoint {name} is out of service.", 503)
        if endpoint is None or status not in SERVING or endpoint.facts["fleet"] is None:
            raise _invalid(f"Endpoint {name} of account {ACCOUNT} not found.")
        return endpoint.facts


def _share(change: Mapping[str, Any]) -> float:
    """Give the part of the traffic that goes to the fleet that comes."""
    if change["stage"] == "shift":
        share: float = change["steps"][change["step"]][0]
        return share
    return 1.0 if change["stage"] == "drain" else 0.0


def _model_error(question: Question, status: int, container: str, message: str) -> ApiError:
    kind = "client" if 400 <= status < 500 else "server"
    region, group = question.region, f"/aws/sagemaker/Endpoints/{question.endpoint}"
    return ApiError(
        "ModelError",
        f'Received {kind} error ({status}) from {container} with message "{message[:1500]}". See https://{region}.console.'
        f"aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in account {ACCOUNT} for more "
        "information.",
        424,
        OriginalStatusCode=status,
        OriginalMessage=message[:2048],
        LogStreamArn=f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}",
    )


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationError", message)
