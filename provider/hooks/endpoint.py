"""The hook to SageMaker's endpoints: control plane, invocation, and the alarms and objects that they need."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from festaf.provider.artifacts.endpoint import Endpoint, EndpointConfiguration, EndpointSummary
from festaf.provider.errors import TAKEN, InputError, RefusedError
from festaf.provider.hooks.model import ModelHook, says_absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Thing = TypeVar("Thing")

ABSENT_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the looks before a thing is believed to be absent."""
INVOCATION = {"read_timeout": 70, "retries": {"mode": "standard", "total_max_attempts": 1}}
"""A model has 60 s for an answer; who calls decides whether to ask again."""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered."""

    body: bytes
    content_type: str | None = None
    variant: str | None = None
    """The variant that answered."""


@dataclass(frozen=True)
class AsyncAnswer:
    """Where an asynchronous endpoint will put its answer."""

    output_s3_uri: str
    failure_s3_uri: str | None = None
    inference_id: str | None = None


class EndpointHook(ModelHook):
    """Reach SageMaker's endpoints, and the models that they serve; its parameters are those of AwsHook."""

    def describe(self, name: str) -> Endpoint | None:
        """Describe an endpoint (DescribeEndpoint); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_endpoint", EndpointName=name)
        return None if answer is None else Endpoint.of(answer)

    def find(self, name: str) -> Endpoint | None:
        """Describe an endpoint that may just have been made; None when AWS finds none for some seconds."""
        return believed(lambda: self.describe(name))

    def find_configuration(self, name: str) -> EndpointConfiguration | None:
        """Describe a configuration that may just have been made; None when AWS finds none for some seconds."""
        return believed(lambda: self.describe_configuration(name))

    def describe_configuration(self, name: str) -> EndpointConfiguration | None:
        """Describe an endpoint configuration (DescribeEndpointConfig); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_endpoint_config", EndpointConfigName=name)
        return None if answer is None else EndpointConfiguration.of(answer)

    def complete(self, found: Endpoint) -> Endpoint:
        """Add what the configuration, the models and the tags tell.

        Calls DescribeEndpointConfig, ListTags, and DescribeModel for each model.
        """
        configuration = self.find_configuration(found.configuration_name) if found.configuration_name else None
        packages = {name: self._package(name) for name in (configuration.models if configuration else ())}
        full = found.with_configuration(configuration)
        variants = tuple(replace(variant, model_package=packages.get(variant.model or "")) for variant in full.variants)
        return replace(full, variants=variants, tags=self.tags(found.arn))

    def summaries(self, name_contains: str | None = None) -> Iterator[EndpointSummary]:
        """List the endpoints with their states (ListEndpoints, 100 per call)."""
        asked: dict[str, Any] = {"MaxResults": 100} | ({"NameContains": name_contains} if name_contains else {})
        for page in self.pages("sagemaker", "list_endpoints", **asked):
            yield from map(EndpointSummary.of, page["Endpoints"])

    def configuration_names(self, name_contains: str | None = None) -> Iterator[str]:
        """List the names of endpoint configurations (ListEndpointConfigs, 100 per call)."""
        asked: dict[str, Any] = {"MaxResults": 100} | ({"NameContains": name_contains} if name_contains else {})
        for page in self.pages("sagemaker", "list_endpoint_configs", **asked):
            yield from (item["EndpointConfigName"] for item in page["EndpointConfigs"])

    def create_configuration(self, request: Mapping[str, Any]) -> str:
        """Create an endpoint configuration (CreateEndpointConfig) and give its ARN."""
        return str(self.call("sagemaker", "create_endpoint_config", **request)["EndpointConfigArn"])

    def create(self, name: str, configuration: str, tags: Mapping[str, str]) -> str:
        """Ask AWS to create an endpoint (CreateEndpoint) and give its ARN; AWS goes on by itself."""
        asked: dict[str, Any] = {"EndpointName": name, "EndpointConfigName": configuration}
        if tags:
            asked["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return str(self.call("sagemaker", "create_endpoint", **asked)["EndpointArn"])

    def update(self, name: str, configuration: str, settings: Mapping[str, Any]) -> None:
        """Ask AWS to deploy a configuration (UpdateEndpoint); AWS goes on by itself.

        :param settings: further fields of the request, as AWS spells them
        """
        self.call("sagemaker", "update_endpoint", EndpointName=name, EndpointConfigName=configuration, **settings)

    def shift(self, name: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """Ask AWS for other weights or instance counts (UpdateEndpointWeightsAndCapacities); AWS goes on by itself."""
        self.call(
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            EndpointName=name,
            DesiredWeightsAndCapacities=list(changes),
        )

    def delete(self, name: str) -> bool:
        """Ask AWS to delete an endpoint (DeleteEndpoint); False when there was none."""
        return self.call_or_none("sagemaker", "delete_endpoint", EndpointName=name) is not None

    def delete_configuration(self, name: str) -> bool:
        """Delete an endpoint configuration (DeleteEndpointConfig); False when there was none."""
        return self.call_or_none("sagemaker", "delete_endpoint_config", EndpointConfigName=name) is not None

    def invoke(self, name: str, body: bytes, **settings: Any) -> Answer:
        """Ask an endpoint once (InvokeEndpoint).

        :param settings: ContentType, Accept, TargetVariant and others, as AWS spells them
        :raises RefusedError: the model answered with an error, told in its own words, or AWS refused the request
        :raises ServiceError: throttled, unavailable or not ready; ask again
        """
        answer = self._runtime("invoke_endpoint", EndpointName=name, Body=body, **settings)
        return Answer(
            body=answer["Body"].read(),
            content_type=answer.get("ContentType"),
            variant=answer.get("InvokedProductionVariant"),
        )

    def invoke_async(self, name: str, input_s3_uri: str, **settings: Any) -> AsyncAnswer:
        """Ask an asynchronous endpoint (InvokeEndpointAsync); it puts its answer into S3 later."""
        answer = self._runtime("invoke_endpoint_async", EndpointName=name, InputLocation=input_s3_uri, **settings)
        return AsyncAnswer(
            output_s3_uri=answer["OutputLocation"],
            failure_s3_uri=answer.get("FailureLocation"),
            inference_id=answer.get("InferenceId"),
        )

    def alarm_states(self, names: Iterable[str]) -> dict[str, str]:
        """Give the state of each alarm by name: OK, ALARM or INSUFFICIENT_DATA (DescribeAlarms, 100 per call).

        One that does not exist is left out.
        """
        asked = list(names)
        states: dict[str, str] = {}
        for start in range(0, len(asked), 100):
            some = asked[start : start + 100]
            kinds = ["MetricAlarm", "CompositeAlarm"]
            answer = self.call("cloudwatch", "describe_alarms", AlarmNames=some, AlarmTypes=kinds)
            found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
            states |= {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
        return states

    def read_object(self, uri: str) -> bytes | None:
        """Read an object from S3 (GetObject); None when there is none.

        :raises InputError: the text is no ``s3://bucket/key``
        """
        bucket, key = s3_parts(uri)
        answer = self.call_or_none("s3", "get_object", Bucket=bucket, Key=key)
        return None if answer is None else answer["Body"].read()

    def write_object(self, uri: str, body: bytes, content_type: str | None = None) -> None:
        """Write an object to S3 (PutObject); written twice it is the same object.

        :raises InputError: the text is no ``s3://bucket/key``
        """
        bucket, key = s3_parts(uri)
        more = {"ContentType": content_type} if content_type else {}
        self.call("s3", "put_object", Bucket=bucket, Key=key, Body=body, **more)

    def _runtime(self, operation: str, **asked: Any) -> dict[str, Any]:
        from festaf.provider.hooks.aws_error import sorted_errors

        client = self._runtime_client()
        try:
            with sorted_errors(client.meta.method_to_api_mapping[operation], self.aws_conn_id):
                answer: dict[str, Any] = getattr(client, operation)(**asked)
        except RefusedError as error:
            raise _in_the_models_words(error, asked["EndpointName"]) from error
        return answer

    def _runtime_client(self) -> Any:
        with self._lock:
            if "festaf-invocation" not in self._clients:
                self._clients["festaf-invocation"] = self._make_client("sagemaker-runtime", INVOCATION)
            return self._clients["festaf-invocation"]

    def _package(self, model: str) -> str | None:
        found = believed(lambda: self.describe_model(model))
        containers = found.containers if found else ()
        return next((container.model_package for container in containers if container.model_package), None)


def believed(look: Callable[[], Thing | None]) -> Thing | None:
    """Look again before a thing is believed to be absent: AWS's reads are eventually consistent."""
    for pause in ABSENT_PAUSES:
        if (found := look()) is not None:
            return found
        time.sleep(pause)
    return look()


def s3_parts(uri: str) -> tuple[str, str]:
    """Read bucket and key.

    :raises InputError: the text is no ``s3://bucket/key``
    """
    parts = urlsplit(uri)
    key = parts.path.lstrip("/")
    if parts.scheme != "s3" or not parts.netloc or not key:
        raise InputError(f"{uri!r} is no S3 object: write s3://bucket/key")
    return parts.netloc, key


__all__ = ["Answer", "AsyncAnswer", "EndpointHook", "s3_parts", "says_absent", "says_busy", "says_taken"]


def says_taken(error: RefusedError) -> bool:
    """Tell whether AWS refused because a thing of this name exists, as SageMaker says of models and endpoints."""
    return error.code in TAKEN or (_is_validation(error) and "already exist" in str(error).lower())


def says_busy(error: RefusedError) -> bool:
    """Tell whether AWS refused because the endpoint is in the middle of something."""
    said = str(error).lower()
    return _is_validation(error) and ("in-progress" in said or "in progress" in said)


def _is_validation(error: RefusedError) -> bool:
    return error.code in {"ValidationException", "ValidationError"}


def _in_the_models_words(error: RefusedError, endpoint: str) -> RefusedError:
    """Say what the model itself answered; AWS wraps it as ModelError."""
    response = getattr(error.__cause__, "response", {})
    if error.code != "ModelError":
        return error
    said = response.get("OriginalMessage") or response.get("Error", {}).get("Message") or "no message"
    status = response.get("OriginalStatusCode")
    logs = f" (logs: {response['LogStreamArn']})" if response.get("LogStreamArn") else ""
    return RefusedError(
        f"The model of endpoint {endpoint} answered {status or 'an error'}: {said}{logs}",
        code=error.code,
        operation=error.operation,
    )
