"""How far two distributions are apart, reckoned from counts between the baseline's points.

The points are quantiles of the baseline, two hundred steps apart by half a percent; a value that alone fills more than
a step, and every value where there are few, gets an interval of its own, so that ties are kept exactly.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from festaf.contract.monitor import Frequencies, Histogram

STEPS = 200
"""Quantile steps between the least and the greatest value."""
QUANTILES = tuple(step / STEPS for step in range(STEPS + 1))
FEW = 120
"""As long as the quantiles hold no more different values, each gets an interval of its own."""
PSI_BINS = 10
"""Bins of about equal weight in the baseline, as is usual for the population stability index."""
PSI_FLOOR = 1e-4
"""What an empty bin counts as: the index has no value for zero."""
RARE = 0.01
"""Categories below this share of the baseline count together in the population stability index."""


def points_of(quantiles: Iterable[float]) -> tuple[float, ...]:
    """Choose the points of a histogram from the quantiles of the finite values."""
    values = sorted(value + 0.0 for value in quantiles if math.isfinite(value))
    if not values:
        return ()
    distinct = sorted(set(values))
    tied = {value for value, after in pairwise(values) if value == after}
    alone = set(distinct) if len(distinct) <= FEW else tied | {distinct[-1]}
    points = set(distinct) | {math.nextafter(value, math.inf) for value in alone}
    return tuple(sorted(point for point in points if math.isfinite(point)))


def psi(base: Histogram, now: Histogram) -> float | None:
    """Reckon the population stability index over about ten bins; None when a side is empty.

    :param now: counts at the points of ``base``
    """
    bins = psi_bins(base)
    return _psi(
        [sum(base.counts[start:end]) for start, end in bins],
        [sum(now.counts[start:end]) for start, end in bins],
    )


def psi_bins(base: Histogram) -> list[tuple[int, int]]:
    """Group the intervals into bins of about a tenth each: first interval, and the one after the last.

    A single value that fills a bin alone stands alone, so that what lies beside it is not hidden in it.
    """
    target = sum(base.counts) / PSI_BINS
    bins: list[tuple[int, int]] = []
    start, mass, heavy = 0, 0, True
    for index, count in enumerate(base.counts):
        if count >= target > 0 and is_single(base.points, index):
            bins += [(start, index)] if index > start else []
            bins.append((index, index + 1))
            start, mass, heavy = index + 1, 0, True
            continue
        mass += count
        if mass >= target > 0:
            bins.append((start, index + 1))
            start, mass, heavy = index + 1, 0, False
    if start < len(base.counts):
        if mass < target / 2 and not heavy:
            bins[-1] = (bins[-1][0], len(base.counts))
        else:
            bins.append((start, len(base.counts)))
    return bins


def is_single(points: Sequence[float], index: int) -> bool:
    """Tell whether an interval of the histogram holds one value only."""
    return 0 < index < len(points) and points[index] == math.nextafter(points[index - 1], math.inf)


def ks(base: Histogram, now: Histogram) -> tuple[float, float] | None:
    """Reckon the Kolmogorov-Smirnov distance at the points, and by how much it may be larger between them.

    None when a side is empty.

    :param now: counts at the points of ``base``
    """
    total, count = sum(base.counts), sum(now.counts)
    if not total or not count:
        return None
    below, seen, distance, bound = 0, 0, 0.0, 0.0
    for index, (one, other) in enumerate(zip(base.counts, now.counts, strict=True)):
        before = below / total, seen / count
        below, seen = below + one, seen + other
        after = below / total, seen / count
        distance = max(distance, abs(after[0] - after[1]))
        if one and other and not is_single(base.points, index):
            bound = max(bound, after[0] - before[1], after[1] - before[0])
    return distance, max(0.0, bound - distance)


def out_of_range(base: Histogram, now: Histogram, minimum: float, maximum: float) -> float:
    """Give the share of values below the baseline's least or above its greatest."""
    count = sum(now.counts)
    if not count:
        return 0.0
    below = now.counts[base.points.index(minimum)]
    # The greatest value has an interval of its own, unless nothing is greater.
    above = now.counts[-1] if base.points[-1] > maximum else 0
    return (below + above) / count


def category_psi(base: Frequencies, now: Frequencies) -> float | None:
    """Reckon the population stability index over the categories; the rare, unlisted and new ones are one bin."""
    total = sum(base.counts.values()) + base.others
    common = [name for name, count in base.counts.items() if count >= RARE * total]
    before = [base.counts[name] for name in common]
    after = [now.counts.get(name, 0) for name in common]
    rest = total - sum(before), _all(now) - sum(after)
    bins = any(rest)
    return _psi(before + [rest[0]] * bins, after + [rest[1]] * bins)


def chi_square(base: Frequencies, now: Frequencies) -> float | None:
    """Reckon half the symmetric chi-square distance of the shares; what the baseline does not list is one category."""
    total, count = _all(base), _all(now)
    if not total or not count:
        return None
    pairs = [(share / total, now.counts.get(name, 0) / count) for name, share in base.counts.items()]
    listed = sum(now.counts.get(name, 0) for name in base.counts)
    pairs.append((base.others / total, (count - listed) / count))
    return sum((one - other) ** 2 / (one + other) for one, other in pairs if one + other) / 2


def new_categories(base: Frequencies, now: Frequencies) -> tuple[float, tuple[str, ...]] | None:
    """Give the share of rows in categories that the baseline has not, and their names, the most frequent first.

    None when the baseline lists not all of its own.
    """
    if base.others:
        return None
    count = _all(now)
    new = {name: rows for name, rows in now.counts.items() if name not in base.counts}
    share = (sum(new.values()) + now.others) / count if count else 0.0
    return share, tuple(sorted(new, key=lambda name: (-new[name], name)))


def _all(frequencies: Frequencies) -> int:
    return sum(frequencies.counts.values()) + frequencies.others


def _psi(before: Sequence[int], after: Sequence[int]) -> float | None:
    total, count = sum(before), sum(after)
    if not total or not count:
        return None
    pairs = zip(before, after, strict=True)
    shares = [(max(one / total, PSI_FLOOR), max(other / count, PSI_FLOOR)) for one, other in pairs]
    return sum((other - one) * math.log(other / one) for one, other in shares)
