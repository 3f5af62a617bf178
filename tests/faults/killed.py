"""Run one scenario's task in this process, and die by SIGKILL around its n-th request to AWS.

    python -m tests.faults.killed SCENARIO WHEN NUMBER FOLDER KEPT

WHEN is ``before`` the request is sent or ``after`` its answer came, so that AWS did the work and nobody noted it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.httpsession import URLLib3Session

from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Stage

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest


def die(when: str, number: int) -> None:
    """Arrange the end."""
    send, numbers = URLLib3Session.send, count(1)

    def dying(self: URLLib3Session, request: AWSPreparedRequest) -> Any:
        last = next(numbers) == number
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(self, request)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    URLLib3Session.send = dying  # type: ignore[method-assign]  # The end is ordered on purpose.


def main() -> None:
    """Run the task."""
    name, when, number, folder, kept = sys.argv[1:]
    scenario = next(one for one in SCENARIOS if one.name == name)
    die(when, int(number))
    # The task never asks the stage's own server handle; what it needs stands in the environment.
    scenario.act(Stage(None, Path(folder), json.loads(kept)))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
