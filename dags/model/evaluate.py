"""Measure two models on the same later flights: a processing script.

Reads ``challenger/model.tar.gz``, ``champion/model.tar.gz`` where there is one, and the rows under ``rows``; writes
``challenger.json`` and ``champion.json`` in the form that SageMaker's registry shows. The held-out flights are named by
a hash, so that figures of different flights are never compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from columns import DUE, LABEL, inputs, late, read


def measure(archive: Path, rows: pd.DataFrame) -> dict[str, float]:
    """Measure one model."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        model: Any = joblib.load(Path(folder) / "model.joblib")
    chance = model.predict_proba(inputs(rows).to_numpy())[:, 1]
    truth = late(rows)
    return {"log_loss": float(log_loss(truth, chance)), "auc": float(roc_auc_score(truth, chance))}


def digest(rows: pd.DataFrame) -> str:
    """Hash which flights are held out, with what came of them."""
    held = rows.sort_values("flight_id")[["flight_id", LABEL]]
    return hashlib.sha256(held.to_csv(index=False).encode()).hexdigest()


def main() -> None:
    """Measure what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="/opt/ml/processing/input")
    parser.add_argument("--output", default="/opt/ml/processing/output")
    parser.add_argument("--test-from", default="2013-10-01")
    parser.add_argument("--rows-uri", default="")
    asked = parser.parse_args()
    rows = read(str(Path(asked.input) / "rows"))
    due = pd.to_datetime(rows[DUE], utc=True, format="ISO8601")
    rows = rows[due >= pd.Timestamp(asked.test_from, tz="UTC")]
    for who in ("challenger", "champion"):
        archive = Path(asked.input) / who / "model.tar.gz"
        if archive.is_file():
            metrics = {name: {"value": value} for name, value in measure(archive, rows).items()}
            held_out = {"uri": asked.rows_uri, "sha256": digest(rows), "item_count": len(rows)}
            result = {"version": 0.0, "dataset": held_out, "binary_classification_metrics": metrics}
            print(f"{who}: {json.dumps(result)}", flush=True)
            (Path(asked.output) / f"{who}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
