"""Learn how likely a flight is to leave late: a script for SageMaker's script mode, also on the local AWS.

Split by time: flights due before ``--train-until`` teach, later ones test. A test on flights of the same days would
know the storms that it is asked about.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from columns import CARRIERS, DUE, INPUTS, inputs, late, read


def fit(rows: pd.DataFrame, *, max_iter: int, learning_rate: float) -> HistGradientBoostingClassifier:
    """Learn from rows."""
    model = HistGradientBoostingClassifier(
        max_iter=max_iter,
        learning_rate=learning_rate,
        categorical_features=[name == "carrier" for name in INPUTS],
        max_bins=max(64, len(CARRIERS)),
        random_state=7,
    )
    return model.fit(inputs(rows).to_numpy(), late(rows))


def score(rows: pd.DataFrame, chance: Any) -> dict[str, float]:
    """Measure predicted chances against what came: log loss and area under the ROC curve."""
    truth = late(rows)
    return {"log_loss": float(log_loss(truth, chance)), "auc": float(roc_auc_score(truth, chance))}


def naive(train: pd.DataFrame, test: pd.DataFrame) -> pd.Series[float]:
    """Predict what a timetable with a memory would: the share of late flights by carrier and hour of the day."""
    made = [inputs(part)[["carrier", "hour"]] for part in (train, test)]
    share = made[0].assign(late=late(train).to_numpy()).groupby(["carrier", "hour"])["late"].mean()
    found = made[1].join(share.rename("share"), on=["carrier", "hour"])["share"]
    return found.fillna(float(late(train).mean())).clip(0.01, 0.99)


def main() -> None:
    """Train, test on later flights, and keep the model with its code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-until", default="2013-10-01")
    parser.add_argument("--max-iter", type=int, default=100)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    asked, _ = parser.parse_known_args()
    rows = read(os.environ["SM_CHANNEL_TRAINING"])
    due = pd.to_datetime(rows[DUE], utc=True, format="ISO8601")
    until = pd.Timestamp(asked.train_until, tz="UTC")
    train, test = rows[due < until], rows[due >= until]
    print(f"{len(train):,} flights before {until:%Y-%m-%d} teach, {len(test):,} later ones test", flush=True)
    model = fit(train, max_iter=asked.max_iter, learning_rate=asked.learning_rate)
    metrics = score(test, model.predict_proba(inputs(test).to_numpy())[:, 1])
    baseline = score(test, naive(train, test))
    for name, value in metrics.items():
        print(f"test_{name}={value:.6f}; naive_{name}={baseline[name]:.6f};", flush=True)
    folder = Path(os.environ["SM_MODEL_DIR"])
    joblib.dump(model, folder / "model.joblib")
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in ("inference.py", "columns.py"):
        (code / name).write_text((Path(__file__).parent / name).read_text())
    result = {"metrics": metrics, "naive": baseline, "train_rows": len(train), "test_rows": len(test)}
    Path(os.environ.get("SM_OUTPUT_DATA_DIR", ".")).joinpath("evaluation.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
