"""A group to put versions in, and model data in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.model_packages.packages import BUCKET, GROUP

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


@pytest.fixture
def model_data(local_aws: LocalAws) -> Any:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="delay/model.tar.gz", Body=b"model")
    return s3


@pytest.fixture
def group(sagemaker: Any, model_data: Any) -> str:
    arn: str = sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)["ModelPackageGroupArn"]
    return arn
