"""Send bodies that are JSON already to the feature store's runtime, without botocore's walk through every value.

Credentials, endpoint and signature are botocore's own parts, put together without the machinery of a client call,
which costs more time than the server's work. Whatever is not a success is read by
botocore's parser and raised as its ClientError.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.parsers import create_parser

from festaf.provider.hooks.wire import transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.hooks.feature_store import FeatureStoreHook

RUNTIME = "sagemaker-featurestore-runtime"


class RecordWriter:
    """Writes records; may be used from several threads.

    :param hook: gives connection, region and credentials
    :param connections: how many are kept open
    """

    def __init__(self, hook: FeatureStoreHook, connections: int) -> None:
        client = hook.client(RUNTIME, max_pool_connections=connections)
        config = client.meta.config
        self._credentials = hook.get_session(region_name=hook.region_name).get_credentials()
        if self._credentials is None:
            raise NoCredentialsError
        self._model = client.meta.service_model
        self._parser = create_parser(self._model.resolved_protocol)
        self._url: str = client.meta.endpoint_url.rstrip("/")
        self._region: str = client.meta.region_name
        self._agent: str = f"festaf {config.user_agent_extra or ''}".strip()
        self._transport = transport(self._url, config, hook.verify, connections)
        self._lock = threading.Lock()

    @property
    def has_batches(self) -> bool:
        """Tell whether this botocore knows BatchWriteRecord."""
        return "BatchWriteRecord" in self._model.operation_names

    def write_batch(self, body: bytes) -> Mapping[str, Any]:
        """Send entries (BatchWriteRecord) and give the answer.

        :raises ClientError: AWS refused the call
        :raises BotoCoreError: AWS did not answer
        """
        answer: Mapping[str, Any] = json.loads(
            self._send("POST", "/BatchWriteRecord", body, "BatchWriteRecord") or b"{}"
        )
        return answer

    def put(self, feature_set: str, body: bytes) -> None:
        """Send one record (PutRecord).

        :raises ClientError: AWS refused the call
        :raises BotoCoreError: AWS did not answer
        """
        self._send("PUT", f"/FeatureGroup/{quote(feature_set, safe='')}", body, "PutRecord")

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def _send(self, method: str, path: str, body: bytes, operation: str) -> bytes:
        request = AWSRequest(
            method=method,
            url=self._url + path,
            data=body,
            headers={"Content-Type": "application/json", "User-Agent": self._agent},
        )
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, self._model.signing_name, self._region).add_auth(request)
        status, headers, content = self._transport.send(request.prepare())
        if status == 200:
            return content
        told = {"status_code": status, "headers": headers, "body": content}
        with self._lock:
            parsed = self._parser.parse(told, self._model.operation_model(operation).output_shape)
        raise ClientError(parsed, operation)
