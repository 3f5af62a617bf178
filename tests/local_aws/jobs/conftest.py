"""A workshop in the session's local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local_aws.jobs.work import Workshop

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


@pytest.fixture
def shop(local_aws: LocalAws) -> Workshop:
    return Workshop(local_aws)
