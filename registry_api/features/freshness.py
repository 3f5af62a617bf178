"""Say how old the values are, against what was declared. Pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta

from festaf.contract.feature import Feature, Freshness


def freshness(
    bound: float | None,
    *,
    last_event_time: datetime | None,
    last_written: datetime | None,
    next_run: datetime | None,
    at: datetime,
) -> Freshness:
    """Measure the newest event time, else the last write, at a time.

    Where nothing was declared there is nothing to hold it against, and the answer does not change with the time.

    :param bound: how old the newest values may be, in seconds
    """
    newest = last_event_time or last_written
    if newest is None or bound is None:
        return Freshness(bound_seconds=bound)
    age = max((at - newest).total_seconds(), 0.0)
    due = _after(newest, bound)
    return Freshness(
        bound_seconds=bound,
        age_seconds=age,
        measured_by="last_event_time" if last_event_time else "last_written",
        status="fresh" if age <= bound else "stale",
        due_at=due,
        next_run_in_time=next_run <= due if next_run and due else None,
    )


def aged(answer: Feature, at: datetime) -> Feature:
    """Measure an answer on a feature again; one that does not change with the time is given back."""
    when = answer.when
    if when.freshness.age_seconds is None:
        return answer
    measured = freshness(
        when.freshness.bound_seconds,
        last_event_time=when.last_event_time,
        last_written=when.last_written,
        next_run=when.next_run,
        at=at,
    )
    return answer.model_copy(update={"when": when.model_copy(update={"freshness": measured})})


def _after(moment: datetime, seconds: float) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return None
