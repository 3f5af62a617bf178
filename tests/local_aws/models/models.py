"""What the tests of models and endpoints share: clients, and models that stand in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.model_archives import DOUBLE, serving

if TYPE_CHECKING:
    from collections.abc import Callable

ROLE = "arn:aws:iam::123456789012:role/service-role/serving"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1"
MODELS = "models"
ONCE = Config(retries={"total_max_attempts": 1})


def put(s3: Any, key: str, content: bytes) -> str:
    """Put an object into the bucket of models, and give its URI."""
    s3.put_object(Bucket=MODELS, Key=key, Body=content)
    return f"s3://{MODELS}/{key}"


def create_model(sagemaker: Any, s3: Any, name: str = "double", content: bytes | None = None) -> str:
    """Create a model of an archive; without one, of handlers that double numbers."""
    uri = put(s3, f"{name}/model.tar.gz", serving(DOUBLE) if content is None else content)
    container = {"Image": IMAGE, "ModelDataUrl": uri}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Give code and message of the error that a call ends in."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]
