"""What every test stands on: an Airflow home of its own, and the local AWS as a real process."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Airflow reads its home when it is first imported, so this stands before any test module is.
_HOME = tempfile.TemporaryDirectory(prefix="festaf-tests-")
os.environ["AIRFLOW_HOME"] = _HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
for _name in [name for name in os.environ if name.startswith(("AWS_", "FESTAF_", "AIRFLOW_CONN_"))]:
    if _name != "AWS_CA_BUNDLE":
        del os.environ[_name]

from tests.local_aws.server import LocalAws  # noqa: E402 - after the environment is set

pytest_plugins = ["tests.feature_store", "tests.models", "tests.postgres"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the flows, which take longest, so that no core is left with one alone at the end."""
    items.sort(key=lambda item: "flow" not in item.keywords)


@pytest.fixture(scope="session")
def local_aws_server() -> Iterator[LocalAws]:
    """Run one local AWS for the whole session, with every wait as short as it goes."""
    with LocalAws.started() as server:
        yield server


@pytest.fixture
def local_aws(local_aws_server: LocalAws) -> LocalAws:
    """Give the session's local AWS with nothing in it."""
    local_aws_server.reset()
    return local_aws_server
