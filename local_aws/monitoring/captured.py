"""What an endpoint captured: the lines that data capture writes to S3."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.dataset import DatasetError, Row, joined, read_csv, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_HOUR = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+\.jsonl$")


def hour_of(path: str) -> datetime | None:
    """Give the hour that a file of captured data is of; None when it is no such file."""
    found = _HOUR.search(path)
    return datetime.strptime("".join(found.groups()), "%Y%m%d%H").replace(tzinfo=UTC) if found else None


def overlaps(hour: datetime, start: datetime, end: datetime) -> bool:
    """Say whether anything of an hour is within a time."""
    return hour < end and hour + timedelta(hours=1) > start


def captured_rows(folder: Path, start: datetime, end: datetime) -> list[Row]:
    """Give the rows of every inference of a time, the predictions before the features.

    :param start: the first moment that counts
    :param end: the first moment that does not
    :raises DatasetError: a line is not what data capture writes
    """
    return [
        row
        for path in sorted(folder.rglob("*.jsonl"))
        if (hour := hour_of(path.as_posix())) is not None and overlaps(hour, start, end)
        for line in path.read_text().splitlines()
        if line.strip()
        for row in _rows(line, start, end)
    ]


def _rows(line: str, start: datetime, end: datetime) -> Iterator[Row]:
    try:
        record = json.loads(line)
        captured, metadata = record["captureData"], record["eventMetadata"]
        moment = datetime.fromisoformat(metadata["inferenceTime"])
        if not start <= moment < end:
            return
        inputs = _side(captured.get("endpointInput"))
        outputs = _side(captured.get("endpointOutput"))
    except (ValueError, KeyError, TypeError) as problem:
        raise DatasetError(f"A line of captured data cannot be read: {problem!r}") from None
    yield from joined(outputs, inputs) if inputs else outputs


def _side(captured: Mapping[str, Any] | None) -> list[Row]:
    if not captured:
        return []
    data, encoding = captured["data"], captured.get("encoding", "NONE")
    if encoding == "BASE64":
        data = base64.b64decode(data).decode()
    content = captured.get("observedContentType", "").partition(";")[0].strip().lower()
    if encoding == "JSON" or "json" in content:
        return read_json(data)
    if encoding == "CSV" or content == "text/csv":
        return read_csv(data, header=False)
    raise DatasetError(
        f"Captured data of content type {content or 'unknown'} and encoding {encoding} cannot be analyzed."
    )
