"""The page says what was found, whatever the columns hold, and needs nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from festaf.contract.monitor import ColumnStatistics, Frequencies, MonitorReport, Statistics
from festaf.provider.monitoring import charts
from festaf.provider.monitoring.comparison import Rules, compare, judge
from festaf.provider.monitoring.page import render
from tests.provider.monitoring.test_distance import histogram, points_of

NOW = datetime(2013, 1, 2, tzinfo=UTC)
values = st.lists(st.floats(allow_nan=False) | st.sampled_from([0.0, 1.0]), max_size=60)
words = st.dictionaries(st.text(max_size=30), st.integers(1, 50), max_size=30)


def column(name: str, kind: Any = "numeric", present: int = 0, **more: Any) -> ColumnStatistics:
    return ColumnStatistics(name=name, kind=kind, present=present, missing=3, **more)


def statistics(*columns: ColumnStatistics, rows: int = 200) -> Statistics:
    return Statistics(source="s3://lake/x", window="all rows", rows=rows, measured_at=NOW, columns=columns)


def page(base: Statistics, now: Statistics, **more: Any) -> str:
    results = compare(base, now, Rules())
    verdict, violations = judge(results, now, NOW, Rules())
    asked: dict[str, Any] = {"monitor": "planes", "source": "s3://lake/x", "window": "all rows", "baseline": "before"}
    report = MonitorReport(
        **asked | more, rows=now.rows, measured_at=NOW, verdict=verdict, features=results, violations=violations
    )
    return render(report, base, now)


class Tags(HTMLParser):
    """Checks that every element is closed, and keeps the charts."""

    VOID = frozenset({"meta", "rect", "line", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def check(text: str) -> None:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    for chart in re.findall(r"<svg.*?</svg>", text, re.S):
        for element in ET.fromstring(chart).iter():
            for name, value in element.attrib.items():
                if name in {"x", "y", "width", "height", "x1", "x2", "y1", "y2", "points"}:
                    numbers = [float(number) for number in re.split(r"[ ,]", value) if number]
                    assert all(-1 <= number <= 1000 for number in numbers), (name, value)


@given(values.filter(bool), values)
def test_whatever_the_numbers_are_the_page_is_whole(before: list[float], after: list[float]) -> None:
    points = points_of(before)
    if not points:
        return
    finite = [value for value in before if value not in {float("inf"), float("-inf")}]
    base = column(
        "x", present=len(before), minimum=min(finite), maximum=max(finite), histogram=histogram(points, before)
    )
    now = column("x", present=len(after), histogram=histogram(points, after))
    check(page(statistics(base), statistics(now)))


@given(words, words, st.integers(0, 9))
def test_whatever_the_categories_are_the_page_is_whole(
    before: dict[str, int], after: dict[str, int], others: int
) -> None:
    base = Frequencies(counts=before, others=others, distinct=len(before) + others)
    now = Frequencies(counts=after, distinct=len(after))
    one = column("x", "category", sum(before.values()) + others, frequencies=base)
    other = column("x", "category", sum(after.values()), frequencies=now)
    check(page(statistics(one), statistics(other)))


def test_nothing_is_drawn_where_there_is_nothing() -> None:
    text = page(statistics(column("x"), rows=3), statistics(column("x"), column("new"), rows=3))
    check(text)
    assert text.count("There are no values to draw") == 2
    assert "too few rows" in text


def test_names_cannot_write_into_the_page() -> None:
    nasty = '"><script>alert(1)</script>'
    base = column(nasty, "category", 5, frequencies=Frequencies(counts={nasty: 5}, distinct=1))
    text = page(statistics(base), statistics(base), monitor=nasty, source=nasty, not_monitored={nasty: nasty})
    check(text)
    assert "<script" not in text


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    text = page(statistics(column("x")), statistics(column("x")))
    assert not re.search(r"src=|url\(|@import|<link|https?:", text)
    assert "prefers-color-scheme: dark" in text


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_the_bars_hold_every_value(sample: list[float]) -> None:
    base = histogram(points_of(sample), sample)
    bars = charts.shares(base, charts.edges_of(base))
    assert sum(bars) == pytest.approx(1)
    assert len(bars) == charts.BARS


def test_the_bars_stand_where_the_values_are() -> None:
    sample = [float(number) for number in range(2800)]
    bars = charts.shares(histogram(points_of(sample), sample), [100.0 * number for number in range(29)])
    assert bars == pytest.approx([1 / 28] * 28, abs=0.002)
