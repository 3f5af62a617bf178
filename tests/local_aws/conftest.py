"""Clients of the session's local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from tests.local_aws.feature_groups import BUCKET, client

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def sagemaker(local_aws: LocalAws) -> Any:
    return client(local_aws, "sagemaker", config=ONCE)


@pytest.fixture
def runtime(local_aws: LocalAws) -> Any:
    return client(local_aws, "sagemaker-featurestore-runtime", config=ONCE)


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    made = local_aws.client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture
def glue(local_aws: LocalAws) -> Any:
    return local_aws.client("glue")
