"""Requests for model packages that AWS would take."""

from __future__ import annotations

from typing import Any

BUCKET = "models"
MODEL = f"s3://{BUCKET}/delay/model.tar.gz"
GROUP = "delay"


def specification(url: str = MODEL) -> dict[str, Any]:
    """Give an InferenceSpecification with one container."""
    return {
        "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1", "ModelDataUrl": url}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def version(**changes: Any) -> dict[str, Any]:
    """Give CreateModelPackage's parameters for a version; a change to None leaves a parameter out."""
    asked = {"ModelPackageGroupName": GROUP, "InferenceSpecification": specification()}
    return {key: value for key, value in (asked | changes).items() if value is not None}


def alone(name: str = "lonely", **changes: Any) -> dict[str, Any]:
    """Give CreateModelPackage's parameters for a package without a group."""
    return version(ModelPackageGroupName=None, ModelPackageName=name, **changes)
