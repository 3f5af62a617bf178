"""Which hyperparameters a tuning job tries next: at random, every combination, or by what was learned so far."""

from __future__ import annotations

import math
import random
import warnings
from typing import TYPE_CHECKING, Any, Protocol

from festaf.local_aws.jobs.rules import cannot, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.jobs.ranges import Ranges

Tried = tuple[dict[str, str], float | None]
"""What was tried, and what came of it; the less the better, None when nothing did or it is not known yet."""

_LEARN_FROM = 3
"""How many results a model needs; before, points are drawn at random."""
_CANDIDATES = 300


class Strategy(Protocol):
    """Chooses points."""

    def next(self, tried: Sequence[Tried]) -> dict[str, str]:
        """Give the next point; those that still run are among the tried."""


class RandomSearch:
    """Draws points, each once as far as that is possible."""

    def __init__(self, ranges: Ranges, seed: int | str) -> None:
        self._ranges = ranges
        self.chance = random.Random(seed)

    def next(self, tried: Sequence[Tried]) -> dict[str, str]:
        """Draw a point."""
        known = [point for point, _ in tried]
        for _ in range(20):
            drawn = self._ranges.drawn(self.chance)
            if drawn not in known:
                break
        return drawn


class GridSearch:
    """Takes every combination in turn."""

    def __init__(self, ranges: Ranges) -> None:
        self._points = list(ranges.grid())

    def next(self, tried: Sequence[Tried]) -> dict[str, str]:
        """Give the next combination."""
        return self._points[len(tried)]


class BayesianSearch:
    """Models the objective by a Gaussian process, and takes the point of the greatest expected improvement."""

    def __init__(self, ranges: Ranges, seed: int | str) -> None:
        self._ranges = ranges
        self._random = RandomSearch(ranges, seed)

    def next(self, tried: Sequence[Tried]) -> dict[str, str]:
        """Choose among random candidates."""
        known = [(self._ranges.place(point), value) for point, value in tried if value is not None]
        if len(known) < _LEARN_FROM:
            return self._random.next(tried)
        candidates = [self._random.next(tried) for _ in range(_CANDIDATES)]
        gains = _expected_improvement(
            [place for place, _ in known],
            [value for _, value in known],
            [self._ranges.place(one) for one in candidates],
        )
        return candidates[int(gains.argmax())]


def strategy_of(config: dict[str, Any], ranges: Ranges, name: str) -> Strategy:
    """Make the strategy that a tuning job asks for.

    :param name: what takes the place of a seed that is not given
    :raises ApiError: ValidationException
    """
    kind, seed = config["Strategy"], config.get("RandomSeed", name)
    if kind == "Grid":
        if not ranges.only_choices:
            raise invalid("Grid search takes only categorical parameters.")
        most = config["ResourceLimits"].get("MaxNumberOfTrainingJobs", ranges.grid_size())
        if most != ranges.grid_size():
            raise invalid(f"MaxNumberOfTrainingJobs of this grid must be {ranges.grid_size()}, or not be given.")
        return GridSearch(ranges)
    if kind == "Hyperband":
        raise cannot("tune by Hyperband, only by Bayesian, Random and Grid")
    return RandomSearch(ranges, seed) if kind == "Random" else BayesianSearch(ranges, seed)


def _expected_improvement(places: list[list[float]], values: list[float], candidates: list[list[float]]) -> Any:
    import numpy as np
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    seen = np.asarray(values)
    kernel = Matern(length_scale=0.5, nu=2.5) + WhiteKernel(1e-3)
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with warnings.catch_warnings():
        # A few points may not tell how long the kernel is; the next ones do.
        warnings.simplefilter("ignore")
        model.fit(np.asarray(places), seen)
        mean, deviation = model.predict(np.asarray(candidates), return_std=True)
    deviation = np.maximum(deviation, 1e-9)
    gain = (seen.min() - mean) / deviation
    density = np.exp(-0.5 * gain**2) / np.sqrt(2 * np.pi)
    below = 0.5 * (1 + np.vectorize(math.erf)(gain / np.sqrt(2)))
    return deviation * (gain * below + density)
