"""What the tests of endpoints share: configurations, endpoints in service, and waiting for what takes real time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.local_aws.feature_groups import client
from tests.local_aws.model_archives import serving
from tests.local_aws.models.models import MODELS, ONCE, create_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_aws.server import LocalAws

PATIENCE = 60.0


def times(factor: int) -> bytes:
    """Make a model that multiplies the number it gets."""
    return serving(
        f"def model_fn(model_dir):\n    return {factor}\n"
        "def transform_fn(model, body, content_type, accept):\n    return str(model * float(body)), 'text/csv'\n"
    )


def variant(model: str, name: str = "AllTraffic", weight: float = 1.0, **more: Any) -> dict[str, Any]:
    """Give a ProductionVariant."""
    asked = {"VariantName": name, "ModelName": model, "InitialVariantWeight": weight}
    return {**asked, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1, **more}


@dataclass
class Stage:
    """A local AWS with the clients that endpoints need, and short ways to say what the tests do often."""

    aws: LocalAws

    def __post_init__(self) -> None:
        self.sagemaker = client(self.aws, "sagemaker", config=ONCE)
        self.runtime = client(self.aws, "sagemaker-runtime", config=ONCE)
        self.s3 = self.aws.client("s3")
        self.s3.create_bucket(Bucket=MODELS)

    def model(self, name: str, content: bytes) -> str:
        """Create a model."""
        return create_model(self.sagemaker, self.s3, name, content)

    def config(self, name: str, *variants: dict[str, Any], **more: Any) -> str:
        """Create an endpoint configuration; without variants, of the model of the same name."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants) or [variant(name)], **more
        )
        return name

    def endpoint(self, config: str, name: str = "answers", **more: Any) -> str:
        """Create an endpoint and wait until it is in service."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        self.until("InService", name)
        return name

    def describe(self, name: str = "answers") -> dict[str, Any]:
        """Describe an endpoint."""
        found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return found

    def status(self, name: str = "answers") -> str:
        """Give an endpoint's status."""
        return str(self.describe(name)["EndpointStatus"])

    def until(self, status: str, name: str = "answers") -> dict[str, Any]:
        """Wait until an endpoint has a status, and give its description."""
        return eventually(lambda: self.describe(name), lambda found: found["EndpointStatus"] == status)

    def pending(self, stage: str, name: str = "answers") -> dict[str, Any]:
        """Wait until the variants that are coming have a status, and give the endpoint's description."""
        return eventually(lambda: self.describe(name), lambda found: coming(found) == stage)

    def update(self, config: str, name: str = "answers", **more: Any) -> None:
        """Start an update."""
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)

    def ask(self, body: str = "1", name: str = "answers", **more: Any) -> tuple[str, str]:
        """Ask a model, and give its answer with the variant's name."""
        found = self.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv", **more)
        return found["Body"].read().decode(), found["InvokedProductionVariant"]

    def keys(self, prefix: str = "") -> list[str]:
        """List the objects of the bucket."""
        page = self.s3.list_objects_v2(Bucket=MODELS, Prefix=prefix)
        return [one["Key"] for one in page.get("Contents", ())]

    def lines(self, prefix: str) -> list[dict[str, Any]]:
        """Read every JSON line under a prefix."""
        return [
            json.loads(line)
            for key in self.keys(prefix)
            for line in self.s3.get_object(Bucket=MODELS, Key=key)["Body"].read().splitlines()
        ]


def coming(described: dict[str, Any]) -> str | None:
    """Give the status of the variants of the deployment that is under way."""
    pending = described.get("PendingDeploymentSummary")
    return pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] if pending else None


def eventually(read: Callable[[], Any], fits: Callable[[Any], Any], patience: float = PATIENCE) -> Any:
    """Read until it fits; a process takes its time to start."""
    until = time.monotonic() + patience
    while not fits(found := read()):
        assert time.monotonic() < until, f"it stayed {found}"
        time.sleep(0.02)
    return found
