"""A recording registry and a spool for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.client import Spool
from tests.client.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder.started() as recorder:
        yield recorder


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")
