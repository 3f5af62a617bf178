"""What every test stands on: an Airflow home of its own, and the local AWS as a real process."""

from __future__ import annotations

import os
import tempfile
from functools import cache
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

from botocore.loaders import JSONFileLoader  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.local_aws.server import LocalAws  # noqa: E402 - after the environment is set

# How long an example takes says how busy the machine is.
settings.register_profile("festaf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("festaf")

# Each hook makes a session, and each session reads the descriptions of its services anew: megabytes of JSON a test.
_described = cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda _loader, path: _described(path)

pytest_plugins = ["tests.buckets", "tests.feature_store", "tests.models", "tests.postgres"]


POSTGRES = "postgres"
"""The fixture that every test on PostgreSQL stands on, whether it names it or asks for one database of two."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on PostgreSQL, and start with the flows, so that no core is left with one alone at the end."""
    for item in items:
        asked = getattr(item, "callspec", None)
        if POSTGRES in getattr(item, "fixturenames", ()) or (asked and "postgresql" in asked.params.values()):
            item.add_marker("postgresql")
    items.sort(key=lambda item: "flow" not in item.keywords)


@pytest.fixture(scope="session")
def local_aws_server() -> Iterator[LocalAws]:
    """Run one local AWS for the whole session, with every wait as short as it goes."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    # For a word in the user agent it looks up the module of every frame below, and there are many below a test.
    AwsGenericHook._get_caller = lambda *_: "Test"
    with LocalAws.started() as server:
        yield server


@pytest.fixture
def local_aws(local_aws_server: LocalAws) -> LocalAws:
    """Give the session's local AWS with nothing in it."""
    local_aws_server.reset()
    return local_aws_server
