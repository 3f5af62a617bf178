"""An endpoint that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local_aws.endpoints.endpoints import Stage
from tests.local_aws.monitoring.schedules import Watch

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


@pytest.fixture
def watch(local_aws: LocalAws) -> Watch:
    made = Watch(Stage(local_aws))
    made.serve()
    return made
