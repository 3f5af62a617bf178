"""Charts of two distributions as inline SVG; colours and fonts are the page's."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from festaf.provider.monitoring.distance import is_single

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from festaf.contract.monitor import Frequencies, Histogram

WIDTH, HEIGHT = 420, 170
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 24
BARS = 28
TAIL = 0.005
"""Share of the baseline at each end that is drawn in the outermost bar."""
SHOWN = 12
"""Categories that are drawn."""
ROW = 22
WIDEST = 1e305
"""What is drawn ends here at both sides, so that no difference of two places overflows."""
NARROWEST = 1e-100


def shares(histogram: Histogram, edges: Sequence[float]) -> list[float]:
    """Give the shares between equally wide edges; what lies outside counts to the outermost.

    Values between two points of the histogram are taken as spread evenly.
    """
    bars = [0.0] * (len(edges) - 1)
    total = sum(histogram.counts) or 1
    width = edges[1] - edges[0]
    for index, count in enumerate(histogram.counts):
        if not count:
            continue
        low, high = _ends(histogram.points, index, edges)
        if high <= low or is_single(histogram.points, index):
            bars[_bar(low, edges, width)] += count / total
            continue
        for bar in range(_bar(low, edges, width), _bar(high, edges, width) + 1):
            first = low if bar == 0 else max(low, edges[bar])
            last = high if bar == len(bars) - 1 else min(high, edges[bar + 1])
            bars[bar] += count / total * max(0.0, last - first) / (high - low)
    return bars


def edges_of(base: Histogram) -> list[float]:
    """Choose equally wide bars over all of the baseline but its extreme ends."""
    total = sum(base.counts)
    below, low, high = 0, base.points[0], base.points[-1]
    for index, count in enumerate(base.counts):
        before, below = below, below + count
        if before <= TAIL * total < below:
            low = base.points[max(0, index - 1)]
        if before <= (1 - TAIL) * total <= below:
            high = base.points[min(index, len(base.points) - 1)]
            break
    low, high = (min(max(end, -WIDEST), WIDEST) for end in (low, high))
    if high - low <= max(abs(low), abs(high), NARROWEST) * 1e-9:
        margin = max(abs(low) * 0.1, NARROWEST)
        low, high = low - margin, low + margin
    return [low + (high - low) * step / BARS for step in range(BARS + 1)]


def histogram_chart(base: Histogram, now: Histogram, name: str) -> str:
    """Draw how the values are spread: the baseline as an area, the window as bars before it."""
    edges = edges_of(base)
    before, after = shares(base, edges), shares(now, edges)
    top = max(*before, *after, 1e-9)
    step = (WIDTH - LEFT - RIGHT) / BARS
    parts = [*_grid(top), *_labels([(edges[0], 0.0), (edges[BARS // 2], 0.5), (edges[-1], 1.0)])]
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        x = LEFT + index * step
        words = f"{_short(edges[index])} to {_short(edges[index + 1])}: baseline {one:.2%}, window {other:.2%}"
        parts.append(
            f"<g><title>{words}</title>"
            f'<rect class="base" x="{x:.1f}" y="{_y(one, top):.1f}" width="{step:.1f}" height="{_h(one, top):.1f}"/>'
            f'<rect class="now" x="{x + step * 0.22:.1f}" y="{_y(other, top):.1f}" width="{step * 0.56:.1f}" '
            f'height="{_h(other, top):.1f}"/></g>'
        )
    return _svg(parts, HEIGHT, f"How the values of {name} are spread")


def cumulative_chart(base: Histogram, now: Histogram, name: str) -> str:
    """Draw both distribution functions; their greatest distance is the Kolmogorov-Smirnov distance."""
    edges = edges_of(base)
    low, high = edges[0], edges[-1]
    lines = [_steps(histogram) for histogram in (base, now)]
    gap = max(range(len(base.points)), key=lambda place: abs(lines[0][place] - lines[1][place]))
    parts = [*_grid(1.0), *_labels([(low, 0.0), (edges[BARS // 2], 0.5), (high, 1.0)])]
    for kind, line in zip(("base", "now"), lines, strict=True):
        spots = " ".join(
            f"{_x(point, low, high):.1f},{_y(share, 1.0):.1f}" for point, share in zip(base.points, line, strict=True)
        )
        parts.append(f'<polyline class="{kind}-line" points="{spots}"/>')
    x = _x(base.points[gap], low, high)
    first, last = sorted((_y(lines[0][gap], 1.0), _y(lines[1][gap], 1.0)))
    words = f"Greatest distance {abs(lines[0][gap] - lines[1][gap]):.3f} at {_short(base.points[gap])}"
    parts.append(
        f'<g><title>{words}</title><line class="gap" x1="{x:.1f}" x2="{x:.1f}" y1="{first:.1f}" y2="{last:.1f}"/></g>'
    )
    return _svg(parts, HEIGHT, f"Share of values of {name} below each value")


def category_chart(base: Frequencies, now: Frequencies, name: str) -> str:
    """Draw the shares of the most frequent categories of both, in pairs."""
    totals = [sum(side.counts.values()) + side.others or 1 for side in (base, now)]
    pairs = {
        word: (base.counts.get(word, 0) / totals[0], now.counts.get(word, 0) / totals[1])
        for word in {*base.counts, *now.counts}
    }
    shown = sorted(pairs, key=lambda word: (-max(pairs[word]), word))[:SHOWN]
    rest = tuple(max(0.0, 1 - sum(pairs[word][side] for word in shown)) for side in (0, 1))
    rows = [(word, *pairs[word]) for word in shown]
    if max(rest) > 1e-9 and base.counts and now.counts:
        rows.append(("all others", rest[0], rest[1]))
    top = max((max(one, other) for _, one, other in rows), default=0) or 1.0
    room = WIDTH - 130 - 60
    parts = []
    for index, (word, one, other) in enumerate(rows):
        y = TOP + index * ROW
        new = word not in base.counts and word != "all others"
        label = word if len(word) <= 17 else f"{word[:16]}…"
        parts.append(
            f"<g><title>{text(word)}: baseline {one:.2%}, window {other:.2%}</title>"
            f'<text class="{"new" if new else "word"}" x="122" y="{y + 12}" text-anchor="end">{text(label)}</text>'
            f'<rect class="base" x="130" y="{y}" width="{max(one / top * room, 0.5):.1f}" height="8"/>'
            f'<rect class="now" x="130" y="{y + 8}" width="{max(other / top * room, 0.5):.1f}" height="8"/>'
            f'<text class="tick" x="{134 + max(one, other) / top * room:.1f}" y="{y + 12}">{other:.1%}</text></g>'
        )
    return _svg(parts, TOP + len(rows) * ROW + 4, f"Categories of {name}")


def text(value: str) -> str:
    """Write a text into the page, with a sign in place of what cannot be shown."""
    printable = "".join(letter if letter.isprintable() else "\ufffd" for letter in value)
    return escape(printable, quote=True)


def _steps(histogram: Histogram) -> list[float]:
    total, below = sum(histogram.counts) or 1, 0
    line = []
    for count in histogram.counts[:-1]:
        below += count
        line.append(below / total)
    return line


def _ends(points: Sequence[float], index: int, edges: Sequence[float]) -> tuple[float, float]:
    """Give where an interval begins and ends, within what is drawn."""
    low = points[index - 1] if index else -math.inf
    high = points[index] if index < len(points) else math.inf
    first, last = edges[0], edges[-1]
    return min(max(low, first), last), max(min(high, last), first)


def _bar(value: float, edges: Sequence[float], width: float) -> int:
    return min(len(edges) - 2, max(0, int((value - edges[0]) / width)))


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (min(max(value, low), high) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(share: float, top: float) -> float:
    return HEIGHT - BOTTOM - _h(share, top)


def _h(share: float, top: float) -> float:
    return share / top * (HEIGHT - TOP - BOTTOM)


def _grid(top: float) -> Iterator[str]:
    for part in (0.0, 0.5, 1.0):
        y = _y(part * top, top)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        share = _percent(part * top, top)
        yield f'<text class="tick" x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{share}</text>'


def _labels(places: Iterable[tuple[float, float]]) -> Iterator[str]:
    for value, part in places:
        x = LEFT + part * (WIDTH - LEFT - RIGHT)
        anchor = "start" if part == 0 else "end" if part == 1 else "middle"
        yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{_short(value)}</text>'


def _short(value: float) -> str:
    return f"{value:.4g}"


def _percent(share: float, top: float) -> str:
    return f"{share:.0%}" if top >= 0.1 or not share else f"{share:.1%}"


def _svg(parts: Iterable[str], height: float, words: str) -> str:
    content = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(words)}">{content}</svg>'
