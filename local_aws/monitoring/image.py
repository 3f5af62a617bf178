"""AWS's image ``sagemaker-model-monitor-analyzer`` as a program that is here."""

from __future__ import annotations

import re
from pathlib import Path

import festaf

ANALYZER = re.compile(r"(^|/)sagemaker-model-monitor-analyzer(:[^/]*)?$")


def command_of(image: str) -> list[str]:
    """Give the command that stands in for an image's own entry point; empty when there is none."""
    return ["python3", "-m", "festaf.local_aws.monitoring.analyzer"] if ANALYZER.search(image) else []


def environment_of(image: str) -> dict[str, str]:
    """Give what that command needs: our package, and where ``/opt/ml`` is."""
    if not ANALYZER.search(image):
        return {}
    return {"PYTHONPATH": str(Path(festaf.__file__).parents[1]), "FESTAF_ANALYZER_ROOT": "/opt/ml"}
