"""What the models of an endpoint print, in CloudWatch Logs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from festaf.local_aws.jobs.logs import LogStream

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud

log = logging.getLogger(__name__)


class Diary:
    """The log of one variant: a stream for a single container, one for each of several.

    :param group: the log group, as in ``/aws/sagemaker/Endpoints/answers``
    :param stream: the log stream of a single container, as in ``AllTraffic/i-0123``
    """

    def __init__(self, cloud: Cloud, region: str, group: str, stream: str) -> None:
        self._cloud = cloud
        self._region = region
        self._group = group
        self._stream = stream
        self._lock = threading.Lock()
        self._streams: dict[str, LogStream] = {}

    def write(self, container: str, lines: list[str]) -> None:
        """Add lines; a log that cannot be written is no reason for a model to fail."""
        name = self._stream if container == "primary" else f"{self._stream}/{container}"
        with self._lock:
            stream = self._streams.get(container)
            if stream is None:
                stream = self._streams[container] = LogStream(
                    self._cloud, self._region, self._group, name, passing=True
                )
            try:
                stream.write(lines)
            except (BotoCoreError, ClientError) as problem:
                log.warning("The log of %s/%s cannot be written: %s", self._group, name, problem)
