from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from festaf.provider.hooks.record_writer import RUNTIME, RecordWriter

if TYPE_CHECKING:
    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws

RECORD = [
    {"FeatureName": "tail", "ValueAsString": "N1"},
    {"FeatureName": "seen", "ValueAsString": "2013-01-01T05:00:00Z"},
]
ENTRIES = [{"FeatureGroupName": "planes", "Record": RECORD}]


class _Raw:
    def stream(self) -> Any:
        return iter([b"{}"])


def test_the_request_is_the_one_that_botocore_sends(
    planes: FeatureSet, hook: FeatureStoreHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tripwire: method, address, signed headers and body are those of an unmodified client."""
    seen: list[Any] = []
    client = hook.client(RUNTIME, retries={"total_max_attempts": 1})

    def keep(request: Any, **_: Any) -> AWSResponse:
        seen.append(request)
        return AWSResponse(request.url, 200, {}, _Raw())

    client.meta.events.register("before-send", keep)
    client.batch_write_record(Entries=ENTRIES)
    client.put_record(FeatureGroupName="planes", Record=RECORD)
    writer = RecordWriter(hook, 1)
    mine: list[Any] = []
    monkeypatch.setattr(writer._transport, "send", lambda request: (mine.append(request), (200, {}, b"{}"))[1])
    writer.write_batch(json.dumps({"Entries": ENTRIES}).encode())
    writer.put("planes", json.dumps({"Record": RECORD}).encode())
    for theirs, ours in zip(seen, mine, strict=True):
        assert (ours.method, ours.url) == (theirs.method, theirs.url)
        assert json.loads(ours.body) == json.loads(theirs.body)
        scope = ours.headers["Authorization"].split("Credential=")[1].split(",")[0]
        wanted = theirs.headers["Authorization"]
        wanted = wanted.decode() if isinstance(wanted, bytes) else wanted
        assert scope == wanted.split("Credential=")[1].split(",")[0]
        assert ours.headers["Content-Type"] == "application/json"


def test_a_refusal_is_botocores_error(planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws) -> None:
    writer = RecordWriter(hook, 1)
    writer.put("planes", json.dumps({"Record": RECORD}).encode())
    assert hook.get_record("planes", "N1") is not None
    with pytest.raises(ClientError) as caught:
        writer.put("plains", json.dumps({"Record": RECORD}).encode())
    assert caught.value.response["Error"]["Code"]
    assert caught.value.operation_name == "PutRecord"
    aws.fault(kind="throttle", operation="BatchWriteRecord")
    with pytest.raises(ClientError, match="Throttling"):
        writer.write_batch(json.dumps({"Entries": ENTRIES}).encode())
    writer.close()
