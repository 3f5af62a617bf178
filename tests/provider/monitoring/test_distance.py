"""The distances are those of plain NumPy and SciPy."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from festaf.contract.monitor import Frequencies, Histogram
from festaf.provider.monitoring import distance

if TYPE_CHECKING:
    from collections.abc import Sequence

Values = np.ndarray[Any, np.dtype[np.float64]]
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False)
few = st.sampled_from([-1.0, 0.0, 1.0, 1.5, math.inf, -math.inf, 1e308, -1e-320])
samples = st.lists(numbers, min_size=1, max_size=300) | st.lists(few, min_size=1, max_size=300)


def histogram(points: Sequence[float], values: Sequence[float] | Values) -> Histogram:
    """Count as Trino's width_bucket does: how many points are at or below each value."""
    places = [sum(point <= value for point in points) for value in values]
    return Histogram(points=tuple(points), counts=tuple(places.count(place) for place in range(len(points) + 1)))


def quick(points: Sequence[float], values: Values) -> Histogram:
    counts = np.bincount(np.searchsorted(np.asarray(points), values, side="right"), minlength=len(points) + 1)
    return Histogram(points=tuple(points), counts=tuple(map(int, counts)))


def points_of(values: Sequence[float] | Values) -> tuple[float, ...]:
    kept = np.asarray([value for value in values if math.isfinite(value)])
    if not len(kept):
        return ()
    return distance.points_of(np.quantile(kept, distance.QUANTILES, method="inverted_cdf"))


def plain_ks(one: Sequence[float] | Values, other: Sequence[float] | Values) -> float:
    """Compare the two distribution functions at every value of both."""
    places = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (one, other)]
    return float(np.max(np.abs(below[0] - below[1])))


def plain_psi(edges: Sequence[float], one: Values, other: Values) -> float:
    """Reckon it as textbooks do, from bin edges."""
    shares = [np.histogram(side, [-np.inf, *edges, np.inf])[0] / len(side) for side in (one, other)]
    before, after = (np.maximum(share, 1e-4) for share in shares)
    return float(np.sum((after - before) * np.log(after / before)))


@given(samples, samples)
def test_the_distance_of_plain_numpy_lies_within_the_error(before: list[float], after: list[float]) -> None:
    points = points_of(before)
    found = distance.ks(histogram(points, before), histogram(points, after))
    assert found is not None
    assert found[0] <= plain_ks(before, after) + 1e-12
    assert plain_ks(before, after) <= sum(found) + 1e-12


@given(st.lists(few.filter(math.isfinite), min_size=1, max_size=300), st.lists(numbers, min_size=1, max_size=50))
def test_the_distance_from_few_values_is_exact(before: list[float], after: list[float]) -> None:
    points = points_of(before)
    found = distance.ks(histogram(points, before), histogram(points, after))
    assert found is not None
    assert found == (pytest.approx(plain_ks(before, after)), 0.0)


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0])
def test_the_distance_of_large_samples_is_scipys_to_half_a_percent(shift: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(1)
    before = np.concatenate([random.normal(size=50_000), np.zeros(5_000)])
    after = random.normal(shift, 1.3, size=20_000)
    points = points_of(before)
    found = distance.ks(quick(points, before), quick(points, after))
    expected = stats.ks_2samp(before, after).statistic
    assert found is not None
    assert found[0] <= expected <= found[0] + found[1]
    assert found[0] == pytest.approx(expected, abs=0.005)
    assert found[1] < 0.02


def test_the_index_is_that_of_plain_numpy_over_the_same_bins() -> None:
    random = np.random.default_rng(2)
    before, after = random.gamma(2, size=30_000), random.gamma(2.3, size=4_000)
    points = points_of(before)
    base, now = quick(points, before), quick(points, after)
    bins = distance.psi_bins(base)
    edges = [points[end - 1] for _, end in bins[:-1]]
    assert distance.psi(base, now) == pytest.approx(plain_psi(edges, before, after))
    shares = [sum(base.counts[start:end]) / 30_000 for start, end in bins]
    assert 9 <= len(bins) <= 10
    assert max(shares) < 0.12


def test_the_index_over_deciles_is_the_textbooks() -> None:
    before = np.arange(1000.0)
    after = np.arange(1000.0) * 1.2
    points = points_of(before)
    edges = np.quantile(before, np.arange(0.1, 1, 0.1), method="inverted_cdf")
    ours = distance.psi(quick(points, before), quick(points, after))
    assert ours == pytest.approx(plain_psi(list(edges), before, after), rel=0.05)


@given(samples, samples)
def test_every_interval_is_in_one_bin(before: list[float], after: list[float]) -> None:
    points = points_of(before)
    base = histogram(points, before)
    bins = distance.psi_bins(base)
    assert [start for start, _ in bins] == [0, *(end for _, end in bins[:-1])]
    assert bins[-1][1] == len(base.counts)
    assert all(start < end for start, end in bins)
    found = distance.psi(base, histogram(points, after))
    assert found is not None
    assert found >= 0


@given(samples)
def test_a_sample_has_no_distance_from_itself(values: list[float]) -> None:
    points = points_of(values)
    base = histogram(points, values)
    assert distance.psi(base, base) == 0
    found = distance.ks(base, base)
    assert found is not None
    assert found[0] == 0


def test_a_constant_that_moves_is_far() -> None:
    points = points_of([5.0] * 100)
    base, moved = histogram(points, [5.0] * 100), histogram(points, [5.1] * 100)
    assert distance.ks(base, moved) == (1.0, 0.0)
    assert (distance.psi(base, moved) or 0) > 10
    assert distance.out_of_range(base, moved, 5.0, 5.0) == 1.0
    assert distance.out_of_range(base, base, 5.0, 5.0) == 0.0


@given(st.lists(finite, min_size=1, max_size=300), st.lists(numbers, min_size=1, max_size=50))
def test_what_is_out_of_range_is_counted_exactly(before: list[float], after: list[float]) -> None:
    points = points_of(before)
    least, greatest = min(before), max(before)
    share = sum(not least <= value <= greatest for value in after) / len(after)
    found = distance.out_of_range(histogram(points, before), histogram(points, after), least, greatest)
    if greatest < math.nextafter(math.inf, 0):
        assert found == pytest.approx(share)


def test_nothing_has_no_distance() -> None:
    empty, some = Histogram(points=(1.0,), counts=(0, 0)), Histogram(points=(1.0,), counts=(0, 3))
    assert distance.psi(empty, some) is None
    assert distance.psi(some, empty) is None
    assert distance.ks(some, empty) is None
    assert distance.points_of([math.inf, math.nan]) == ()


words = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=200)


@given(words, words)
def test_categories_are_compared_as_plain_numpy_does(before: list[str], after: list[str]) -> None:
    base, now = (Frequencies(counts=Counter(side), distinct=len(set(side))) for side in (before, after))
    names = sorted(set(before) | set(after))
    new = [name for name in names if name not in before]
    one = np.array([before.count(name) / len(before) for name in names if name not in new] + [0.0])
    other = np.array([after.count(name) / len(after) for name in names if name not in new])
    other = np.append(other, sum(after.count(name) for name in new) / len(after))
    total = one + other
    shown = total > 0
    expected = float(np.sum((one[shown] - other[shown]) ** 2 / total[shown]) / 2)
    assert distance.chi_square(base, now) == pytest.approx(expected)
    floored = np.maximum(one[shown], 1e-4), np.maximum(other[shown], 1e-4)
    index = float(np.sum((floored[1] - floored[0]) * np.log(floored[1] / floored[0])))
    assert distance.category_psi(base, now) == pytest.approx(index)
    found = distance.new_categories(base, now)
    assert found is not None
    assert found[0] == pytest.approx(float(other[-1]))
    assert set(found[1]) == set(new)


def test_categories_beyond_the_list_are_not_called_new() -> None:
    base = Frequencies(counts={"a": 90}, others=10, distinct=300)
    assert distance.new_categories(base, Frequencies(counts={"b": 5}, distinct=1)) is None
