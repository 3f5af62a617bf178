"""One resource of SageMaker: what was asked for, and what has become of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from festaf.local_aws.service import ACCOUNT


@dataclass
class Resource:
    """A model, endpoint, job or the like; plain values only, so that it can be stored as JSON.

    Statuses that follow from time alone are not stored: a kind reads them off the times in ``facts`` by the server's
    clock, so that a jump of the clock brings every resource where it would be.
    """

    kind: str
    """The kind as it stands in an ARN, such as ``training-job`` or ``endpoint-config``."""
    region: str
    name: str
    """Unique among its kind and region; for a model package ``group/version``."""
    request: dict[str, Any]
    """What the client asked for, in botocore's spelling; a time in it is seconds since 1970."""
    created: float
    """Seconds since 1970 of the server's clock, to the millisecond, as AWS shows times."""
    modified: float
    facts: dict[str, Any] = field(default_factory=dict)
    """What the kind itself keeps: times of its states, results, failure reasons."""
    tags: dict[str, str] = field(default_factory=dict)
    visible: float = 0.0
    """From when on those who only read see it, in seconds since 1970 of the server's clock."""

    @property
    def arn(self) -> str:
        """Give the Amazon Resource Name."""
        return arn_of(self.kind, self.region, self.name)

    @property
    def created_at(self) -> datetime:
        """Give when it was created."""
        return moment(self.created)

    @property
    def modified_at(self) -> datetime:
        """Give when it last changed."""
        return moment(self.modified)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Resource:
        """Make a resource again from its plain values."""
        return cls(**content)


def arn_of(kind: str, region: str, name: str) -> str:
    """Give the ARN of a SageMaker resource."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def moment(seconds: float) -> datetime:
    """Turn seconds since 1970 into what botocore shows."""
    return datetime.fromtimestamp(seconds, UTC)
