"""What a job writes, in CloudWatch Logs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.cloud import Cloud

_BATCH = 1000
_LONGEST = 250_000
"""Characters of one event, with some room below the 256 KB that CloudWatch Logs takes."""


class LogStream:
    """One stream of a log group; both are made with the first line.

    Times are real ones even when the server's clock has jumped ahead: CloudWatch Logs refuses events of the future.

    :param passing: it need not survive the end of the server
    """

    def __init__(self, cloud: Cloud, region: str, group: str, stream: str, *, passing: bool = False) -> None:
        self._cloud = cloud
        self._region = region
        self._group = group
        self._stream = stream
        self._passing = passing
        self._made = False

    def write(self, lines: Sequence[str]) -> None:
        """Add lines; an empty one becomes a blank, since no event may be empty."""
        if not lines:
            return
        client = self._cloud.client("logs", self._region, passing=self._passing)
        if not self._made:
            self._make(client)
        now = int(time.time() * 1000)
        for start in range(0, len(lines), _BATCH):
            events = [{"timestamp": now, "message": line[:_LONGEST] or " "} for line in lines[start : start + _BATCH]]
            client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)

    def _make(self, client: Any) -> None:
        for make, names in (
            (client.create_log_group, {"logGroupName": self._group}),
            (client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                make(**names)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise
        self._made = True
