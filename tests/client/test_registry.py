"""The client asks over real HTTP, and turns every failure into one clear error."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from festaf.client import RegistryClient
from festaf.client.errors import (
    AbsentError,
    BusyError,
    DeniedError,
    FaultError,
    InvalidError,
    RefusedError,
    RegistryError,
    UnexpectedAnswerError,
    UnreachableError,
)
from festaf.contract.openlineage import PRODUCER, RUN_EVENT_SCHEMA, EventType, Job, Run, RunEvent
from tests.client.recorder import Recorder, Reply, Request, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = RunEvent(
    event_type=EventType.COMPLETE,
    event_time=datetime(2026, 11, 21, tzinfo=UTC),
    producer=PRODUCER,
    schema_url=RUN_EVENT_SCHEMA,
    run=Run(run_id="01a1fbaf-f5de-72b3-bdbb-b0cc384b9876"),
    job=Job(namespace="default", name="dag.task"),
)
FEATURE: dict[str, Any] = {
    "project": "nyc",
    "feature_set": "weather",
    "name": "wind",
    "who": {"owner": "ann"},
    "when": {"first_seen": "2026-11-21T01:00:00Z"},
    "how": {"technique": "mean"},
    "why": {"purpose": "delays"},
}


@pytest.fixture
def client(recorder: Recorder) -> Iterator[RegistryClient]:
    with RegistryClient(recorder.url, "secret", timeout=5.0, retry=False) as client:
        yield client


def test_an_event_is_sent_in_openlineages_spelling_with_the_token(client: RegistryClient, recorder: Recorder) -> None:
    client.send(EVENT)
    request = recorder.requests[0]
    assert (request.method, request.path) == ("POST", "/api/v1/lineage")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.body["schemaURL"] == RUN_EVENT_SCHEMA
    assert request.body["run"]["runId"] == "01a1fbaf-f5de-72b3-bdbb-b0cc384b9876"


def test_a_batch_is_sent_at_once_and_its_answer_counts_the_events(client: RegistryClient, recorder: Recorder) -> None:
    answer = client.send_batch([EVENT, b'{"n": 1}'])
    assert (answer.status, answer.summary.received, answer.summary.successful) == ("success", 2, 2)
    assert recorder.requests[0].body[1] == {"n": 1}


def test_a_feature_is_asked_for_by_its_name(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(200, FEATURE)
    feature = client.feature("nyc", "a b", "wind/gust", as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert feature is not None
    assert feature.who.owner == "ann"
    assert recorder.requests[0].path == "/api/v1/features/nyc/a%20b/wind%2Fgust?asOf=2026-01-01T00%3A00%3A00%2B00%3A00"


def test_a_feature_that_the_registry_does_not_know_is_none(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: problem(404, "There is no such feature")
    assert client.feature("nyc", "weather", "wind") is None


def test_features_come_page_by_page(client: RegistryClient, recorder: Recorder) -> None:
    def pages(request: Request) -> Reply:
        item = {"project": "nyc", "feature_set": "weather"}
        if "cursor=next" in request.path:
            return Reply(200, {"items": [item | {"name": "b"}], "cursor": None})
        return Reply(200, {"items": [item | {"name": "a"}], "cursor": "next"})

    recorder.answer = pages
    assert [feature.name for feature in client.features(project="nyc", query="w")] == ["a", "b"]
    assert "project=nyc" in recorder.requests[1].path


def test_the_lineage_of_a_feature_is_a_graph(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(200, {"root": "feature:x:y", "nodes": [], "edges": []})
    assert client.lineage("nyc", "weather", "wind", depth=2).root == "feature:x:y"
    client.lineage("nyc", "weather", "wind", direction="upstream", limit=9, known_at=datetime(2026, 1, 2, tzinfo=UTC))
    asked = "direction=upstream&limit=9&knownAt=2026-01-02T00%3A00%3A00%2B00%3A00"
    assert [request.path for request in recorder.requests] == [
        "/api/v1/features/nyc/weather/wind/lineage?depth=2",
        f"/api/v1/features/nyc/weather/wind/lineage?{asked}",
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, DeniedError),
        (403, DeniedError),
        (404, AbsentError),
        (405, RefusedError),
        (422, InvalidError),
        (429, BusyError),
        (500, FaultError),
        (503, BusyError),
        (302, UnexpectedAnswerError),
    ],
)
def test_each_failure_is_an_error_of_its_own_that_says_what_the_registry_said(
    client: RegistryClient, recorder: Recorder, status: int, kind: type[RegistryError]
) -> None:
    recorder.answer = lambda _: problem(status, "The moon is full", errors=["run.runId: no UUID"])
    with pytest.raises(RegistryError, match=f"answered {status}: The moon is full; run.runId: no UUID") as caught:
        client.send(EVENT)
    assert type(caught.value) is kind
    assert type(pickle.loads(pickle.dumps(caught.value))) is kind


def test_an_answer_of_another_server_is_no_surprise(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(200, {"hello": "world"})
    with pytest.raises(UnexpectedAnswerError, match="no answer of a festaf registry"):
        client.feature("nyc", "weather", "wind")


def test_a_failure_without_a_problem_still_has_a_reason(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(502, {"not": "a problem"})
    with pytest.raises(BusyError, match="502: Bad Gateway"):
        client.send(EVENT)


def test_a_passing_fault_is_repeated_until_it_passes(recorder: Recorder) -> None:
    answers = iter([Reply(503, headers={"Retry-After": "0"}), Reply(429), Reply(201)])
    recorder.answer = lambda _: next(answers)
    with RegistryClient(recorder.url, timeout=20.0) as client:
        client.send(EVENT)
    assert len(recorder.requests) == 3
    assert len({request.text for request in recorder.requests}) == 1


def test_a_wait_beyond_the_deadline_is_not_begun(recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(503, headers={"Retry-After": "3600"})
    with RegistryClient(recorder.url, timeout=20.0) as client, pytest.raises(BusyError) as caught:
        client.send(EVENT)
    assert len(recorder.requests) == 1
    assert caught.value.retry_after == 3600


def test_a_time_in_retry_after_is_understood(client: RegistryClient, recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(503, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"})
    with pytest.raises(BusyError) as caught:
        client.send(EVENT)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 10**9


def test_a_refusal_is_not_repeated(recorder: Recorder) -> None:
    recorder.answer = lambda _: problem(422, "no")
    with RegistryClient(recorder.url) as client, pytest.raises(InvalidError):
        client.send(EVENT)
    assert len(recorder.requests) == 1


def test_a_registry_that_is_away_or_too_slow_is_unreachable(recorder: Recorder) -> None:
    recorder.answer = lambda _: Reply(hang=True)
    with RegistryClient(recorder.url, timeout=0.2) as client:
        with pytest.raises(UnreachableError, match="did not answer within"):
            client.send(EVENT)
        assert not client.ready()
    with RegistryClient("http://127.0.0.1:9", retry=False) as client, pytest.raises(UnreachableError, match="refused"):
        client.send(EVENT)


def test_a_registry_says_when_it_is_ready(client: RegistryClient, recorder: Recorder) -> None:
    assert client.ready()
    recorder.answer = lambda _: Reply(503)
    assert not client.ready()


@pytest.mark.parametrize("url", ["", "registry", "ftp://x", "http://", "http://[::1"])
def test_an_address_that_is_none_is_a_mistake_of_the_caller(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a registry"):
        RegistryClient(url)


@pytest.mark.parametrize("token", ["one-token\nanother-token", "two words", "schlüssel"])
def test_a_token_that_is_none_is_refused_before_an_error_can_show_it(recorder: Recorder, token: str) -> None:
    with pytest.raises(ValueError, match="the token for the registry is none") as raised:
        RegistryClient(recorder.url, token)
    assert not [word for word in token.split() if word in str(raised.value).replace("the token", "")]


def test_the_line_break_behind_a_token_is_no_part_of_it(recorder: Recorder) -> None:
    with RegistryClient(recorder.url, "the-token\n") as client:
        client.send(EVENT)
    assert recorder.requests[0].headers["authorization"] == "Bearer the-token"


def test_the_address_may_name_the_api(recorder: Recorder) -> None:
    with RegistryClient(f"{recorder.url}/api/v1/") as client:
        client.send(EVENT)
    assert recorder.requests[0].path == "/api/v1/lineage"
