"""What the tests of endpoints share: models that answer a text, endpoints that serve them, and tasks."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1.5"
QUICK: dict[str, Any] = {"endpoint": "delay", "poll_interval": 0.1, "timeout": 60}


def serving(code: str) -> bytes:
    """Pack an inference script as ``model.tar.gz``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code.encode())
        archive.addfile(member, io.BytesIO(code.encode()))
    return packed.getvalue()


def answering(text: str) -> str:
    """Write an inference script that answers a text and what it was sent."""
    return (
        "def model_fn(model_dir):\n    return None\n"
        f"def transform_fn(model, body, content_type, accept):\n    return {text!r} + str(body), 'text/csv'\n"
    )


FAILING = (
    "def model_fn(model_dir):\n    return None\n"
    "def transform_fn(model, body, content_type, accept):\n    raise ValueError('seats are missing')\n"
)
BROKEN = "def model_fn(model_dir):\n    raise RuntimeError('the weights are missing')\n"


def model_data(aws: LocalAws, name: str, code: str) -> str:
    """Put a model's archive into S3 and give its URI."""
    key = f"models/{name}/model.tar.gz"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=serving(code))
    return f"s3://{BUCKET}/{key}"


def create_model(aws: LocalAws, name: str, code: str | None = None) -> str:
    """Create a SageMaker model that answers its own name, or runs a script."""
    uri = model_data(aws, name, answering(f"{name}:") if code is None else code)
    aws.client("sagemaker").create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri}
    )
    return name


def variant(model: str, **more: Any) -> dict[str, Any]:
    """Ask for a variant."""
    return {"model": model, "instance_type": "ml.m5.large", **more}


def ask(aws: LocalAws, payload: str = "1", **more: Any) -> str:
    """Ask the endpoint, with boto3."""
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="delay", Body=payload, ContentType="text/csv", **more
    )
    return str(answer["Body"].read().decode())


def names(aws: LocalAws) -> dict[str, list[str]]:
    """List everything that stands: endpoints, configurations and models."""
    client = aws.client("sagemaker")
    return {
        "endpoints": sorted(one["EndpointName"] for one in client.list_endpoints()["Endpoints"]),
        "configurations": sorted(
            one["EndpointConfigName"] for one in client.list_endpoint_configs()["EndpointConfigs"]
        ),
        "models": sorted(one["ModelName"] for one in client.list_models()["Models"]),
    }
