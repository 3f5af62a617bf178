"""Nothing is removed before the registry said yes, nothing waits longer than its deadline, nothing stops the rest."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from festaf.client import Breaker, Delivery, Sender, Spool
from tests.client.recorder import Recorder, Reply, Request, problem, yes
from tests.client.test_spool import HOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def breaker(spool: Spool) -> Breaker:
    return Breaker(spool.folder / "breaker.json")


@pytest.fixture
def delivery(spool: Spool, breaker: Breaker, recorder: Recorder) -> Delivery:
    return _delivery(spool, breaker, recorder.url)


def _delivery(spool: Spool, breaker: Breaker, url: str, deadline: float = 5.0) -> Delivery:
    return Delivery(spool, breaker, lambda seconds: Sender(url, timeout=seconds, retry=False), deadline=deadline)


def _event(number: int) -> bytes:
    return f'{{"n": {number}}}'.encode()


def _numbers(recorder: Recorder) -> list[int]:
    return [event["n"] for event in recorder.events]


def _only(number: int, reply: Reply) -> Callable[[Request], Reply]:
    """Answer ``reply`` to whatever carries the event of this number."""
    return lambda request: reply if any(event["n"] == number for event in request.events) else yes(request)


def test_a_new_event_is_sent_and_then_removed(spool: Spool, delivery: Delivery, recorder: Recorder) -> None:
    outcome = delivery.offer([spool.append(_event(1))])
    assert (outcome.sent, outcome.fault) == (1, None)
    assert _numbers(recorder) == [1]
    assert spool.names() == []


def test_what_waits_is_sent_in_order_and_compressed(spool: Spool, delivery: Delivery, recorder: Recorder) -> None:
    for number in range(250):
        spool.append(_event(number), durable=False)
    outcome = delivery.flush()
    assert (outcome.sent, outcome.left) == (250, 0)
    assert _numbers(recorder) == list(range(250))
    assert [request.path for request in recorder.requests] == ["/api/v1/lineage/batch"] * 3
    assert {request.headers["content-encoding"] for request in recorder.requests} == {"gzip"}


def test_a_new_event_goes_before_older_ones(spool: Spool, breaker: Breaker, recorder: Recorder) -> None:
    old = [spool.append(_event(number)) for number in (1, 2)]
    for name in old:
        _age(spool, name)
    _delivery(spool, breaker, recorder.url).offer([spool.append(_event(3))])
    assert _numbers(recorder) == [3, 1, 2]


def _age(spool: Spool, name: str) -> None:
    """Make an event an hour older."""
    (spool.pending / name).rename(spool.pending / f"{int(name[:20]) - 3600 * 10**9:020d}{name[20:]}")


def test_an_event_that_another_task_is_sending_is_left_to_it(
    spool: Spool, delivery: Delivery, recorder: Recorder
) -> None:
    other = spool.append(_event(1))
    delivery.offer([spool.append(_event(2))])
    assert _numbers(recorder) == [2]
    assert spool.names() == [other]


def test_while_the_registry_is_down_events_wait_and_then_they_arrive(spool: Spool, breaker: Breaker) -> None:
    with Recorder.started() as recorder:
        port = recorder.port
    delivery = _delivery(spool, breaker, f"http://127.0.0.1:{port}")
    outcome = delivery.offer([spool.append(_event(1))])
    assert outcome.fault is not None
    assert "cannot be reached" in outcome.fault
    assert breaker.state == "open"
    with Recorder.started(port) as recorder:
        assert delivery.flush().sent == 1
        assert _numbers(recorder) == [1]
    assert breaker.state == "closed"


def test_an_open_breaker_costs_no_request(
    spool: Spool, breaker: Breaker, delivery: Delivery, recorder: Recorder
) -> None:
    breaker.trip("it hung", cost=2.0)
    outcome = delivery.offer([spool.append(_event(1))])
    assert outcome.fault
    assert recorder.requests == []
    assert len(spool.names()) == 1


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drip=True)], ids=["hangs", "drips"])
def test_the_deadline_holds_whatever_the_registry_does(
    spool: Spool, breaker: Breaker, recorder: Recorder, reply: Reply
) -> None:
    recorder.answer = lambda _: reply
    outcome = _delivery(spool, breaker, recorder.url, deadline=0.3).offer([spool.append(_event(1))])
    assert outcome.fault is not None
    assert "did not answer within" in outcome.fault
    assert breaker.state == "open"
    assert len(spool.names()) == 1


def test_an_event_sent_twice_is_the_same_event(spool: Spool, delivery: Delivery, recorder: Recorder) -> None:
    spool.append(_event(1))
    recorder.answer = lambda _: Reply(hang=True)
    assert delivery.flush(call_seconds=0.2).left == 1
    recorder.answer = yes
    assert delivery.flush().left == 0
    assert len(recorder.requests) == 2
    assert recorder.requests[0].text == recorder.requests[1].text


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_event_that_is_refused_for_good_is_kept_with_the_reason_and_the_rest_goes_on(
    spool: Spool, delivery: Delivery, recorder: Recorder, status: int
) -> None:
    recorder.answer = _only(2, problem(status, "run.runId is no UUID"))
    names = [spool.append(_event(number)) for number in (1, 2, 3)]
    outcome = delivery.flush()
    assert (outcome.sent, outcome.rejected, outcome.left, outcome.fault) == (2, 1, 0, None)
    assert (spool.rejected / names[1]).read_bytes() == _event(2)
    assert "run.runId is no UUID" in (spool.rejected / f"{names[1]}.reason").read_text()


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_wrong_token_or_address_rejects_no_event(
    spool: Spool, breaker: Breaker, delivery: Delivery, recorder: Recorder, status: int
) -> None:
    recorder.answer = lambda _: problem(status, "The token is unknown")
    outcome = delivery.offer([spool.append(_event(1))])
    assert outcome.fault is not None
    assert "The token is unknown" in outcome.fault
    assert spool.status().pending == 1
    assert spool.status().rejected == 0
    assert breaker.state == "open"


def test_an_event_that_the_registry_stumbles_over_stands_back_for_the_others(
    spool: Spool, delivery: Delivery, recorder: Recorder
) -> None:
    recorder.answer = _only(1, problem(500, "Something broke"))
    for number in (1, 2, 3):
        spool.append(_event(number))
    outcome = delivery.flush()
    assert (outcome.sent, outcome.left) == (2, 1)
    assert [spool.read(name) for name in spool.names()] == [_event(1)]


def test_a_registry_that_stumbles_over_everything_is_left_alone(
    spool: Spool, breaker: Breaker, delivery: Delivery, recorder: Recorder
) -> None:
    recorder.answer = lambda _: problem(500, "The disk is full")
    for number in range(30):
        spool.append(_event(number), durable=False)
    outcome = delivery.flush()
    assert (outcome.sent, outcome.left) == (0, 30)
    assert len(recorder.requests) == 6
    assert breaker.state == "open"


def test_each_failed_event_of_a_batch_is_treated_as_the_answer_says(
    spool: Spool, delivery: Delivery, recorder: Recorder
) -> None:
    recorder.answer = lambda _: Reply(
        200,
        {
            "status": "partial_success",
            "summary": {"received": 3, "successful": 1, "failed": 2, "retriable": 1, "non_retriable": 1},
            "failed_events": [
                {"index": 0, "reason": "no run id", "retriable": False},
                {"index": 2, "reason": "locked", "retriable": True},
            ],
        },
    )
    names = [spool.append(_event(number)) for number in (1, 2, 3)]
    outcome = delivery.flush()
    assert (outcome.sent, outcome.rejected, outcome.left) == (1, 1, 1)
    assert (spool.rejected / f"{names[0]}.reason").read_text() == "no run id\n"
    assert [spool.read(name) for name in spool.names()] == [_event(3)]


def test_a_torn_file_does_not_stop_the_rest(spool: Spool, delivery: Delivery, recorder: Recorder) -> None:
    for content in (_event(1), b'{"n": ', _event(2)):
        spool.append(content)
    assert delivery.flush().sent == 2
    assert _numbers(recorder) == [1, 2]
    assert spool.status().rejected == 1


def test_an_event_that_the_spool_did_not_take_is_sent_at_once(
    tmp_path: Path, recorder: Recorder, breaker: Breaker
) -> None:
    (tmp_path / "file").write_text("")
    unusable = Spool(tmp_path / "file" / "spool")
    outcome = _delivery(unusable, breaker, recorder.url).offer([_event(1)])
    assert outcome.sent == 1
    assert _numbers(recorder) == [1]


def test_only_one_process_probes_a_registry_that_failed(
    spool: Spool, breaker: Breaker, delivery: Delivery, recorder: Recorder
) -> None:
    breaker.trip("it hung", cost=2.0)
    marker = spool.folder / "breaker.json"
    marker.write_text('{"until": 1.0, "reason": "it hung"}')
    name = spool.append(_event(1))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(spool.folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert delivery.offer([name]).busy
        assert recorder.requests == []
        holder.kill()
    assert delivery.offer([name]).sent == 1
    assert breaker.state == "closed"


def test_the_registry_decides_how_long_it_is_left_alone(
    spool: Spool, breaker: Breaker, delivery: Delivery, recorder: Recorder
) -> None:
    recorder.answer = lambda _: Reply(503, headers={"Retry-After": "120"})
    delivery.offer([spool.append(_event(1))])
    trip = breaker.trip_in_force()
    assert trip is not None
    name = spool.append(_event(2))
    assert trip.until - int(name[:20]) / 1e9 > 60


def test_a_programming_mistake_ends_no_task(spool: Spool, breaker: Breaker) -> None:
    def broken(_: float) -> Any:
        raise TypeError("oh no")

    outcome = Delivery(spool, breaker, broken).offer([spool.append(_event(1))])
    assert outcome.fault == "TypeError: oh no"
    assert len(spool.names()) == 1
