"""How good a model is: metrics and the held-out data they were measured on, in the forms that they come in.

The JSON is what SageMaker's registry shows: ``{"regression_metrics": {"mae": {"value": 9.5}}}``, to which ``dataset``
adds the data. A flat ``{"mae": 9.5}`` is read too, as scripts write it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError
from festaf.provider.models import metadata as keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelVersion

SUFFIX = "_metrics"


@dataclass(frozen=True)
class Evaluation:
    """Metrics by name, and what they were measured on."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    held_out: str | None = None
    """URI of the data."""
    sha256: str | None = None
    """Hash of the data's content."""
    rows: int | None = None
    source: str = "nowhere"
    """Where it was found, for messages."""

    @property
    def data(self) -> str:
        """Name the held-out data, for messages."""
        known = [text for text in (self.held_out, self.sha256 and f"sha256 {self.sha256[:12]}") if text]
        return ", ".join(known) or "unknown data"

    def as_json(self, problem: str) -> dict[str, Any]:
        """Write it in SageMaker's form.

        :param problem: ``regression``, ``binary_classification``, ``multiclass_classification`` or a word of one's own
        """
        dataset = {"uri": self.held_out, "sha256": self.sha256, "item_count": self.rows}
        return {
            "version": 0.0,
            "dataset": {key: value for key, value in dataset.items() if value is not None},
            f"{problem}{SUFFIX}": {name: {"value": value} for name, value in self.metrics.items()},
        }


def read_evaluation(content: Any, source: str) -> Evaluation:
    """Read an evaluation from JSON.

    :param source: where it comes from, for messages
    :raises InputError: it holds no metrics
    """
    if not isinstance(content, dict):
        raise InputError(f"The evaluation from {source} is {type(content).__name__}: write an object of metrics")
    dataset = content.get("dataset")
    dataset = dataset if isinstance(dataset, dict) else {}
    metrics = dict(_metrics(content, source))
    if not metrics:
        raise InputError(f"The evaluation from {source} holds no metric")
    return Evaluation(
        metrics=metrics,
        held_out=_text(dataset.get("uri") or content.get("held_out")),
        sha256=_text(dataset.get("sha256") or content.get("held_out_sha256")),
        rows=dataset.get("item_count") if isinstance(dataset.get("item_count"), int) else None,
        source=source,
    )


def known_evaluation(hook: ModelHook, version: ModelVersion) -> Evaluation:
    """Read what is known of a registered version: its evaluation in S3, else its metadata; empty when neither is.

    :raises InputError: the evaluation that it names holds no metrics
    """
    noted = from_metadata(version.metadata)
    content = hook.read_json(version.evaluation_uri) if version.evaluation_uri else None
    if content is None:
        return noted
    found = read_evaluation(content, version.evaluation_uri or "")
    return Evaluation(
        metrics={**noted.metrics, **found.metrics},
        held_out=found.held_out or noted.held_out,
        sha256=found.sha256 or noted.sha256,
        rows=found.rows,
        source=found.source,
    )


def from_metadata(metadata: Mapping[str, str]) -> Evaluation:
    """Read an evaluation from a version's metadata; empty when it has none."""
    metrics = {
        key.removeprefix(keys.METRIC): value
        for key, text in metadata.items()
        if key.startswith(keys.METRIC) and (value := _number(text)) is not None
    }
    return Evaluation(
        metrics=metrics,
        held_out=metadata.get(keys.HELD_OUT),
        sha256=metadata.get(keys.HELD_OUT_SHA256),
        source="the version's metadata",
    )


def _metrics(content: Mapping[str, Any], source: str) -> Iterator[tuple[str, float]]:
    """Give the metrics of every group, or the bare numbers of a flat object."""
    groups = [value for key, value in content.items() if key.endswith(SUFFIX) or key == "metrics"]
    for group in groups or [content]:
        if not isinstance(group, dict):
            raise InputError(f"The metrics from {source} are {type(group).__name__}: write them by name")
        for name, value in group.items():
            number = _number(value.get("value") if isinstance(value, dict) else value)
            if number is not None:
                yield name, number


def _number(value: Any) -> float | None:
    """Read a finite number; None for what is none, such as a confusion matrix or SageMaker's text NaN."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
