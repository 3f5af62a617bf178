"""The stage on which endpoints play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local_aws.endpoints.endpoints import Stage

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


@pytest.fixture
def stage(local_aws: LocalAws) -> Stage:
    return Stage(local_aws)
