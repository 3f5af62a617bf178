"""A finding as one HTML page that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from festaf.provider.monitoring.charts import category_chart, cumulative_chart, histogram_chart, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.contract.monitor import Check, ColumnStatistics, FeatureResult, MonitorReport, Statistics

_VERDICTS = {
    "steady": ("steady", "No check failed."),
    "drifted": ("drifted", "At least one check failed."),
    "not_measured": ("not measured", "Nothing was measured."),
    "too_few_rows": ("too few rows", "No check failed, but there are too few rows to judge distributions."),
}
_COLUMNS: tuple[tuple[Check, str, str], ...] = (
    ("psi", "PSI", "Population stability index: below 0.1 the same, above 0.2 another distribution"),
    ("ks", "KS", "Kolmogorov-Smirnov distance of the two distributions"),
    ("chi_square", "χ²", "Half the symmetric chi-square distance of the categories' shares"),
    ("missing_share", "missing", "Share of missing values: baseline, then window"),
    ("out_of_range", "outside", "Share of values below the baseline's least or above its greatest"),
    ("new_categories", "new", "Share of rows in categories that the baseline has not"),
)


def render(report: MonitorReport, base: Statistics, now: Statistics) -> str:
    """Render the page."""
    style = files("festaf.provider.monitoring").joinpath("page.css").read_text(encoding="utf-8")
    results = sorted(report.features, key=lambda result: (-len(result.violations), -(result.psi or 0), result.feature))
    body = [*_head(report), *_violations(report), *_table(results)]
    body.append('<section class="cards">')
    for result in results:
        body += _card(result, base.column(result.feature), now.column(result.feature))
    body.append("</section>")
    body += _foot(report)
    title = text(f"{report.monitor}: {_VERDICTS[report.verdict][0]}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(report: MonitorReport) -> Iterator[str]:
    word, words = _VERDICTS[report.verdict]
    yield (
        f'<header><div><p class="over">{text(report.project)} · feature monitor</p>'
        f"<h1>{text(report.monitor)}</h1></div>"
        f'<p class="verdict {report.verdict}" title="{words}">{word}</p></header>'
    )
    newest = f"{report.last_event_time:%Y-%m-%d %H:%M} UTC" if report.last_event_time else "none"
    tiles = (
        (f"{report.rows:,}", "rows in the window"),
        (f"{report.baseline_rows:,}" if report.baseline_rows is not None else "none", "rows in the baseline"),
        (newest, "newest event time"),
        (f"{len(report.violations)}", f"failed checks of {len(report.features)} features"),
    )
    yield '<section class="tiles">'
    for value, label in tiles:
        yield f"<div><b>{text(value)}</b><span>{text(label)}</span></div>"
    yield "</section>"
    facts = (
        ("Watched", report.source),
        ("Window", report.window),
        ("Baseline", report.baseline),
        ("Measured", f"{report.measured_at:%Y-%m-%d %H:%M:%S} UTC"),
    )
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in facts) + "</dl>"


def _violations(report: MonitorReport) -> Iterator[str]:
    if not report.violations:
        yield f'<p class="calm">{_VERDICTS[report.verdict][1]}</p>'
        return
    yield '<section class="alarm"><h2>Failed checks</h2><ul>'
    for violation in report.violations:
        yield f"<li>{text(violation.message)}</li>"
    yield "</ul></section>"


def _table(results: list[FeatureResult]) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th>feature</th>'
    yield "".join(f'<th class="number"><abbr title="{title}">{name}</abbr></th>' for _, name, title in _COLUMNS)
    yield "</tr></thead><tbody>"
    for result in results:
        failed = {violation.check for violation in result.violations}
        if "missing_increase" in failed:
            failed.add("missing_share")
        mark = '<span class="dot bad" title="drifted"></span>' if failed else '<span class="dot good"></span>'
        yield f'<tr><td>{mark}<a href="#{_anchor(result)}">{text(result.feature)}</a></td>'
        for check, _, _ in _COLUMNS:
            kind = "number failed" if check in failed else "number"
            yield f'<td class="{kind}">{_cell(result, check)}</td>'
        yield "</tr>"
    yield "</tbody></table></div>"


def _cell(result: FeatureResult, check: Check) -> str:
    if check == "missing_share":
        return f"{result.baseline_missing_share:.1%} → {result.missing_share:.1%}"
    value = {
        "psi": result.psi,
        "ks": result.ks,
        "chi_square": result.chi_square,
        "out_of_range": result.out_of_range_share,
        "new_categories": result.new_category_share,
    }[check]
    if value is None:
        return '<span class="none">·</span>'
    return f"{value:.1%}" if check in {"out_of_range", "new_categories"} else f"{value:.3f}"


def _card(result: FeatureResult, base: ColumnStatistics | None, now: ColumnStatistics | None) -> Iterator[str]:
    bad = " bad" if result.violations else ""
    yield f'<article class="card{bad}" id="{_anchor(result)}">'
    yield f"<h3>{text(result.feature)}<small>{result.kind}</small></h3>"
    yield from _figures(base, now)
    if base and now and base.histogram and now.histogram and sum(now.histogram.counts):
        yield histogram_chart(base.histogram, now.histogram, result.feature)
        yield cumulative_chart(base.histogram, now.histogram, result.feature)
    elif base and now and base.frequencies and now.frequencies:
        yield category_chart(base.frequencies, now.frequencies, result.feature)
    else:
        yield '<p class="none">There are no values to draw on one of the two sides.</p>'
    yield "</article>"


def _figures(base: ColumnStatistics | None, now: ColumnStatistics | None) -> Iterator[str]:
    if now is None or now.kind == "category":
        return
    names = "".join(f"<th>{name}</th>" for name in ("", "least", "mean", "± dev.", "greatest"))
    yield f'<table class="figures"><thead><tr>{names}</tr></thead>'
    for label, side in (("baseline", base), ("window", now)):
        values = (side.minimum, side.mean, side.deviation, side.maximum) if side else (None,) * 4
        cells = "".join(f"<td>{'·' if value is None else f'{value:.4g}'}</td>" for value in values)
        key = "base" if label == "baseline" else "now"
        yield f'<tr><th><span class="key {key}"></span>{label}</th>{cells}</tr>'
    yield "</table>"


def _foot(report: MonitorReport) -> Iterator[str]:
    if report.not_monitored:
        left = ", ".join(f"{text(name)} ({text(why)})" for name, why in sorted(report.not_monitored.items()))
        yield f'<p class="foot">Not monitored: {left}.</p>'
    digest = f" Baseline sha256 {report.baseline_sha256}." if report.baseline_sha256 else ""
    yield f'<p class="foot">Written by festaf.{digest}</p>'


def _anchor(result: FeatureResult) -> str:
    return text(f"feature-{result.feature}")
