"""How values are distributed, as Model Monitor writes it, and how far two distributions are apart.

Numbers are kept as a KLL sketch: levels of values, of which each one stands for 2 to the power of its level. Texts are
counted. The distance is L-infinity, as in Deequ: the largest difference of the shares up to, or of, any value.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SKETCH_SIZE = 2048
"""The most values of a sketch's upper levels together; AWS's own parameter ``k``."""
SHRINKING = 0.64
"""AWS's own parameter ``c``; kept for readers of the file."""
BUCKETS = 10

Weighted = list[tuple[float, float]]
"""Values in ascending order, each with how many it stands for."""


def sketch(numbers: Sequence[float]) -> dict[str, Any]:
    """Give the ``kll`` part of a numeric column's distribution.

    :param numbers: in ascending order
    """
    return {
        "buckets": _buckets(numbers),
        "sketch": {"parameters": {"c": SHRINKING, "k": float(SKETCH_SIZE)}, "data": _levels(numbers)},
    }


def categories(counts: Mapping[str, int], most: int = 1000) -> dict[str, Any]:
    """Give the ``categorical`` part of a text column's distribution: the most frequent values."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]
    return {"buckets": [{"value": value, "count": count} for value, count in ordered]}


def weighted(kll: Mapping[str, Any]) -> Weighted:
    """Read a sketch, or where there is none its buckets, each with its middle."""
    levels = kll.get("sketch", {}).get("data")
    if levels:
        return sorted((float(value), 2.0**level) for level, values in enumerate(levels) for value in values)
    return sorted(
        ((one["lower_bound"] + one["upper_bound"]) / 2, float(one["count"]))
        for one in kll.get("buckets", ())
        if one["count"]
    )


def numeric_distance(one: Weighted, other: Weighted, *, robust: bool) -> float:
    """Give how far two distributions of numbers are apart, between 0 and 1.

    :param robust: take off what chance alone may make of samples of this size, as Deequ does after the two-sample
        Kolmogorov-Smirnov test
    """
    sizes = _total(one), _total(other)
    if not all(sizes):
        return 0.0
    shares = [_shares(sample, size) for sample, size in zip((one, other), sizes, strict=True)]
    found = max(abs(left - right) for left, right in _aligned(*shares))
    return _corrected(found, *sizes) if robust else found


def categorical_distance(one: Mapping[str, float], other: Mapping[str, float], *, robust: bool) -> float:
    """Give how far two distributions of texts are apart, between 0 and 1."""
    sizes = sum(one.values()), sum(other.values())
    if not all(sizes):
        return 0.0
    found = max(abs(one.get(value, 0.0) / sizes[0] - other.get(value, 0.0) / sizes[1]) for value in {*one, *other})
    return _corrected(found, *sizes) if robust else found


def _total(sample: Weighted) -> float:
    return math.fsum(weight for _, weight in sample)


def _corrected(distance: float, size: float, other: float) -> float:
    return max(0.0, distance - 1.8 * math.sqrt((size + other) / (size * other)))


def _shares(sample: Weighted, size: float) -> dict[float, float]:
    """Give, by value, the share of what is not greater."""
    found: dict[float, float] = {}
    passed = 0.0
    for value, weight in sample:
        passed += weight
        found[value] = passed / size
    return found


def _aligned(one: dict[float, float], other: dict[float, float]) -> Iterable[tuple[float, float]]:
    left = right = 0.0
    for value in sorted({*one, *other}):
        left, right = one.get(value, left), other.get(value, right)
        yield left, right


def _buckets(numbers: Sequence[float]) -> list[dict[str, float]]:
    if not numbers:
        return []
    low, high = numbers[0], numbers[-1]
    width = (high - low) / BUCKETS
    bounds = [low + width * step for step in range(BUCKETS)] + [high]
    counts = [0] * BUCKETS
    for number in numbers:
        counts[min(int((number - low) / width), BUCKETS - 1) if width else 0] += 1
    return [
        {"lower_bound": lower, "upper_bound": upper, "count": float(count)}
        for (lower, upper), count in zip(itertools.pairwise(bounds), counts, strict=True)
    ]


def _levels(numbers: Sequence[float]) -> list[list[float]]:
    """Let one value in the middle stand for each run of 2^n, and for what is left shorter runs."""
    top = max(0, math.ceil(math.log2(len(numbers) / SKETCH_SIZE))) if numbers else 0
    levels: list[list[float]] = [[] for _ in range(top + 1)]
    start = 0
    for level in range(top, -1, -1):
        run = 2**level
        while len(numbers) - start >= run:
            levels[level].append(numbers[start + run // 2])
            start += run
    return levels
