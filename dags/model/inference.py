"""Answer how likely flights are to leave late: what the endpoint and the batch transform run.

Takes JSON, an object or a list of them, or JSON lines; gives the same with ``late``, a chance from 0 to 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from columns import inputs

LINES = "application/jsonlines"


def model_fn(model_dir: str) -> Any:
    """Load the model."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: bytes | str, content_type: str) -> pd.DataFrame:
    """Read flights.

    :raises ValueError: the content type is neither JSON nor JSON lines
    """
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == LINES:
        return pd.DataFrame([json.loads(line) for line in text.splitlines() if line.strip()])
    if content_type == "application/json":
        content = json.loads(text)
        return pd.DataFrame(content if isinstance(content, list) else [content])
    raise ValueError(f"{content_type} is not understood: send application/json or {LINES}")


def predict_fn(rows: pd.DataFrame, model: Any) -> list[dict[str, Any]]:
    """Give each flight's chance to leave late."""
    chances = model.predict_proba(inputs(rows).to_numpy())[:, 1]
    names = rows["flight_id"] if "flight_id" in rows else [None] * len(rows)
    return [{"flight_id": name, "late": round(float(chance), 6)} for name, chance in zip(names, chances, strict=True)]


def output_fn(predictions: list[dict[str, Any]], accept: str) -> tuple[str, str]:
    """Write the answer as JSON lines when asked for, else as JSON."""
    if accept == LINES:
        return "\n".join(map(json.dumps, predictions)) + "\n", LINES
    return json.dumps(predictions), "application/json"
