"""Archives as training leaves them: small ``model.tar.gz`` for tests that serve models."""

from __future__ import annotations

import io
import tarfile
from typing import Any

DOUBLE = """
import json

def model_fn(model_dir):
    return 2

def input_fn(body, content_type):
    return json.loads(body)

def predict_fn(data, model):
    return [value * model for value in data]

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
"""Handlers that need no library: JSON numbers in, the doubles of them out."""


def packed(files: dict[str, str | bytes]) -> bytes:
    """Make a ``tar.gz`` of contents by path."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def serving(script: str) -> bytes:
    """Make a model of handlers alone."""
    return packed({"code/inference.py": script})


def fitted() -> tuple[Any, Any]:
    """Fit a small regression, and give it with the rows that it was fitted on."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    rows = np.random.default_rng(7).normal(size=(50, 3))
    return LinearRegression().fit(rows, rows @ [1.0, -2.0, 0.5] + 3), rows


def joblib_model(model: Any) -> bytes:
    """Make the archive of a fitted model without any code."""
    import joblib

    content = io.BytesIO()
    joblib.dump(model, content)
    return packed({"model.joblib": content.getvalue()})
