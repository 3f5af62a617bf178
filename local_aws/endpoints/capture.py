"""Data capture: requests and answers of an endpoint as JSON lines in S3, laid out as AWS does."""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
"""How long a line waits for others, by the server's clock; AWS takes minutes."""
_MOST_LINES = 1000


@dataclass(frozen=True)
class Captured:
    """One side of an invocation."""

    body: bytes
    content_type: str | None


@dataclass
class _File:
    """Lines that go into one object."""

    region: str
    since: float
    """By the server's clock: a jump makes it due."""
    named: str
    lines: list[str] = field(default_factory=list)


class DataCapture:
    """Collects what is captured, and writes it; may be used from several threads."""

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._files: dict[str, _File] = {}

    def take(
        self,
        config: Mapping[str, Any] | None,
        place: tuple[str, str, str],
        asked: Captured,
        answered: Captured,
        inference_id: str | None = None,
        attributes: str | None = None,
    ) -> None:
        """Capture one invocation, if the configuration wants it and the sample takes it.

        :param config: the endpoint's DataCaptureConfig
        :param place: region, endpoint and variant
        """
        if not config or not config.get("EnableCapture", True):
            return
        if random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        seconds = self._clock.now()
        now = datetime.fromtimestamp(seconds, UTC)
        line = json.dumps(_line(config, asked, answered, now, inference_id, attributes), separators=(",", ":"))
        region, endpoint, variant = place
        folder = f"{config['DestinationS3Uri'].rstrip('/')}/{endpoint}/{variant}/{now:%Y/%m/%d/%H}"
        with self._lock:
            file = self._files.get(folder)
            if file is None:
                named = f"{folder}/{now:%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
                file = self._files[folder] = _File(region, seconds, named)
            file.lines.append(line)

    def flush(self, *, all_of_it: bool = True) -> None:
        """Write what waits.

        :param all_of_it: also what has not waited for FLUSH_SECONDS yet
        """
        if not self._files:
            return
        # Whoever reads after this call sees everything that was captured before it.
        now = self._clock.now()
        with self._writing:
            with self._lock:
                due = [
                    folder
                    for folder, file in self._files.items()
                    if all_of_it or len(file.lines) >= _MOST_LINES or now - file.since >= FLUSH_SECONDS
                ]
                files = [self._files.pop(folder) for folder in due]
            for file in files:
                self._write(file)

    def forget(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._files.clear()

    def _write(self, file: _File) -> None:
        bucket, key = split_uri(file.named)
        content = "".join(f"{line}\n" for line in file.lines).encode()
        try:
            Objects(self._cloud, file.region).put(bucket, key, content, "application/octet-stream")
        except ObjectStoreError as problem:
            log.warning("What was captured cannot be written to %s: %s", file.named, problem)


def _line(
    config: Mapping[str, Any],
    asked: Captured,
    answered: Captured,
    now: datetime,
    inference_id: str | None,
    attributes: str | None,
) -> dict[str, Any]:
    sides = {"Input": ("endpointInput", asked), "Output": ("endpointOutput", answered)}
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    wanted = sides if "InputAndOutput" in modes else {mode: sides[mode] for mode in sides if mode in modes}
    headers = config.get("CaptureContentTypeHeader", {})
    event = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    if inference_id:
        event["inferenceId"] = inference_id
    return {
        "captureData": {name: _side(mode.upper(), one, headers) for mode, (name, one) in wanted.items()},
        "eventMetadata": {**event, **({"customAttributes": [attributes]} if attributes else {})},
        "eventVersion": "0",
    }


def _side(mode: str, side: Captured, headers: Mapping[str, Any]) -> dict[str, Any]:
    encoding, data = _encoded(side, headers)
    shown = {"observedContentType": side.content_type, "mode": mode, "data": data, "encoding": encoding}
    return {name: value for name, value in shown.items() if value is not None}


def _encoded(side: Captured, headers: Mapping[str, Any]) -> tuple[str, str]:
    """Write a body as text when its type is among those of the configuration, else in base64."""
    kind = (side.content_type or "").partition(";")[0].strip().lower()
    for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if kind in {one.lower() for one in headers.get(member, ())}:
            try:
                return encoding, side.body.decode()
            except UnicodeDecodeError:
                break
    return "BASE64", base64.b64encode(side.body).decode()
