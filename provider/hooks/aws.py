"""The hook to AWS that every other hook of ours is: a kept client per service, and our own errors for boto3's."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from botocore.config import Config
from botocore.exceptions import ClientError

from festaf.provider.errors import ABSENT, AccessError
from festaf.provider.hooks.aws_error import code_of, message_of, sorted_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper

Found = TypeVar("Found")
Kind = TypeVar("Kind", bound="AwsHook")

DEFAULT_CONNECTION = "aws_default"
PATIENCE = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "total_max_attempts": 4}}
"""What the connection does not say: how long botocore waits, and how often it tries by itself."""

ABSENT_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the looks before a thing is believed to be absent."""


class AwsHook(AwsBaseHook):
    """Reach AWS.

    What boto3 raises becomes one of the errors of ``festaf.provider.errors``: one sentence that says what to do.

    :param aws_conn_id: the Airflow connection to AWS; None uses boto3's own search for credentials
    :param region_name: AWS region; None takes the connection's
    :param verify: whether to verify TLS certificates, or the path of a CA bundle
    :param config: configuration of the botocore client
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "sagemaker"
        super().__init__(*args, **kwargs)
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()
        self._account: str | None = None
        self._account_turn = threading.Lock()  # cached_property has no lock of its own since Python 3.12.

    @cached_property
    def conn_config(self) -> AwsConnectionWrapper:
        """Read the connection; one that is named and missing is an error, not an empty connection.

        :raises AccessError: there is no connection of this name, or its extra cannot be read
        """
        if self.aws_conn_id and self.aws_conn_id != DEFAULT_CONNECTION:
            try:
                self.get_connection(self.aws_conn_id)
            except AirflowNotFoundException as error:
                raise AccessError(
                    f"There is no Airflow connection {self.aws_conn_id!r}: create it, or name another in aws_conn_id"
                ) from error
        try:
            return super().conn_config
        except (ValueError, TypeError, KeyError) as error:
            raise AccessError(f"The extra of connection {self.aws_conn_id!r} cannot be read: {error}") from error

    def beside(self, kind: type[Kind]) -> Kind:
        """Make a hook of another kind on the same connection, not read again: it shares session and clients."""
        found = kind(
            aws_conn_id=self.aws_conn_id, region_name=self._region_name, verify=self._verify, config=self._config
        )
        found._clients, found._lock = self._clients, self._lock
        for kept in {"conn_config", "_session", "_botocore_config"} & self.__dict__.keys():
            found.__dict__[kept] = self.__dict__[kept]
        return found

    @property
    def place(self) -> str:
        """Name the region and connection, for messages."""
        return f"region {self.region_name} (connection {self.aws_conn_id!r})"

    def client(self, service: str, **settings: Any) -> Any:
        """Make a boto3 client of a service from the connection; without settings it is kept.

        :param service: boto3's name of the service
        :param settings: botocore configuration that the connection does not override
        :raises AccessError: no region, no credentials, or no usable endpoint
        """
        if settings:
            return self._make_client(service, settings)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service, {})
            return self._clients[service]

    @cached_property
    def _session(self) -> Any:
        """Keep one session: each would assume the connection's role anew, and none makes clients in two threads."""
        return self.get_session(region_name=self.region_name)

    @cached_property
    def _botocore_config(self) -> Config:
        """Keep the connection's configuration: each one makes the amazon provider inspect the whole call stack."""
        return self._get_config()

    def _make_client(self, service: str, settings: Mapping[str, Any]) -> Any:
        with self._lock, sorted_errors(f"Connecting to {service}", self.aws_conn_id):
            return self._session.client(
                service_name=service,
                endpoint_url=self.conn_config.get_service_endpoint_url(service),
                config=Config(**{**PATIENCE, **settings}).merge(self._botocore_config),
                verify=self.verify,
            )

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation, by boto3's method name, and give its answer.

        :raises FestafError: sorted as ``festaf.provider.hooks.aws_error`` does
        """
        client = self.client(service)
        with sorted_errors(client.meta.method_to_api_mapping[operation], self.aws_conn_id):
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        return answer

    def call_or_none(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """Call an operation that reads; None when AWS says that the thing is not there."""
        client = self.client(service)
        with sorted_errors(client.meta.method_to_api_mapping[operation], self.aws_conn_id):
            try:
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
            except ClientError as error:
                if code_of(error) in ABSENT or _says_absent(error):
                    return None
                raise
        return answer

    def patiently(self, look: Callable[[], Found | None]) -> Found | None:
        """Look for a thing that may just have been made; None when AWS finds none for some seconds.

        AWS's reads are eventually consistent: for a moment a new thing may seem absent.
        """
        for pause in ABSENT_PAUSES:
            if (found := look()) is not None:
                return found
            time.sleep(pause)
        return look()

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Call an operation that lists, and give every page of its answer (NextToken)."""
        asked = dict(parameters)
        while True:
            page = self.call(service, operation, **asked)
            yield page
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def tags(self, arn: str) -> dict[str, str]:
        """List the tags of an artifact (ListTags)."""
        found: dict[str, str] = {}
        for page in self.pages("sagemaker", "list_tags", ResourceArn=arn):
            found |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", [])}
        return found

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or overwrite tags of an artifact (AddTags)."""
        self.call("sagemaker", "add_tags", ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    @property
    def account(self) -> str:
        """Give the AWS account that the credentials belong to (GetCallerIdentity, asked once for all threads)."""
        with self._account_turn:
            if self._account is None:
                self._account = str(self.call("sts", "get_caller_identity")["Account"])
            return self._account


def _says_absent(error: ClientError) -> bool:
    """Tell whether a validation error is about a thing that is not there, as SageMaker says of some artifacts."""
    said = message_of(error).lower()
    return code_of(error) in {"ValidationException", "ValidationError"} and (
        "does not exist" in said or "not found" in said or "could not find" in said
    )
