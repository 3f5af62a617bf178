"""Asking for features: sent twice, at once, too late, by the wrong ones; and what becomes of a wish."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from festaf.contract.feature_request import FeatureRef, NewFeatureRequest, Plan
from festaf.registry_api.access.caller import Caller, Scope
from festaf.registry_api.access.sight import NOTHING, Sight
from festaf.registry_api.errors import ForbiddenError, NotFoundError
from festaf.registry_api.feature_requests.service import RequestService
from festaf.registry_api.lineage.rebuild import rebuild
from tests.registry_api.events import DAY, declaration, defined, task_event, written

if TYPE_CHECKING:
    from httpx import Response

    from tests.registry_api.conftest import Registry

REQUESTS = "/api/v1/feature-requests"
WISH = {"project": "nyc", "name": "gust_max_1h", "purpose": "predict diversions", "wanted_by": "2026-12-01"}


def send(registry: Registry, path: str = "", body: Any = None, method: str = "POST", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return registry.http.request(method, f"{REQUESTS}{path}", json=body, headers=named)


def ask(registry: Registry, **said: Any) -> Any:
    answer = send(registry, body=WISH | said)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_wish_sent_twice_or_at_once_is_one(registry: Registry) -> None:
    with ThreadPoolExecutor(6) as pool:
        keyed = list(pool.map(lambda _: send(registry, body=WISH, Idempotency_Key="k"), range(6)))
        bare = list(pool.map(lambda _: send(registry, body=WISH | {"name": "GustMin"}), range(6)))

    assert sorted(answer.status_code for answer in keyed) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in keyed}) == 1
    assert sorted(answer.status_code for answer in bare) == [201] + [409] * 5
    assert send(registry, body=WISH | {"purpose": "other"}, Idempotency_Key="k").status_code == 409
    again = send(registry, body=WISH | {"name": "gustMax1H"}).json()
    assert again["related"][0]["href"] == keyed[0].json()["href"]
    assert len(registry.get("/feature-requests")["items"]) == 2


def test_a_comment_sent_twice_is_one_and_another_under_its_key_is_refused(registry: Registry) -> None:
    path = f"/{ask(registry)['id']}/comments"
    said = [send(registry, path, {"text": text}, Idempotency_Key="k") for text in ("me too", "me too", "me not")]
    bare = [send(registry, path, {"text": "me too"}) for _ in range(2)]

    assert [answer.status_code for answer in (*said, *bare)] == [200, 200, 409, 200, 200]
    entries = registry.get(f"/feature-requests{path.removesuffix('comments')}entries")["items"]
    assert [entry["text"] for entry in entries if entry["kind"] == "comment"] == ["me too"] * 3


def test_the_audit_log_says_what_stood_before_and_after_each_step(registry: Registry) -> None:
    wish = ask(registry)
    steps = [("/comments", {"text": "me too"}), ("/decline", {"reason": "no data"}), ("/reopen", {"reason": "data"})]
    for path, body in steps:
        assert send(registry, f"/{wish['id']}{path}", body).status_code == 200
    edited = send(registry, f"/{wish['id']}", {"purpose": "plan"}, "PATCH", If_Match='"3"')
    assert edited.status_code == 200, edited.text

    rows = registry.get("/audit", entity="nyc/gust_max_1h")["items"]

    assert [(row["action"], row["before"], row["after"]) for row in rows] == [
        ("feature_request.edited", "purpose: predict diversions", "purpose: plan"),
        ("feature_request.reopened", "declined", "open: data"),
        ("feature_request.declined", "open", "declined: no data"),
        ("feature_request.comment", None, "me too"),
        ("feature_request.asked", None, "predict diversions"),
    ]


def test_what_is_sent_again_is_no_step_in_the_audit_log(registry: Registry) -> None:
    path = f"/{ask(registry)['id']}"
    for _ in range(2):
        assert send(registry, f"{path}/comments", {"text": "me too"}, Idempotency_Key="k").is_success
        assert send(registry, f"{path}/vote", method="PUT").is_success

    rows = registry.get("/audit", entity="nyc/gust_max_1h")["items"]

    assert [row["action"] for row in rows] == ["feature_request.comment", "feature_request.asked"]


def test_votes_at_once_are_all_counted_once(registry: Registry) -> None:
    wish = ask(registry)

    def vote(number: int) -> None:
        caller = Caller(f"user{number % 5}", frozenset({Scope.REGISTRY_READ}), sight=Sight(frozenset({"nyc"})))
        with registry.database.writing() as session:
            RequestService(session, caller, DAY).vote(UUID(wish["id"]), wanted=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(vote, range(15)))
    found = registry.get(f"/feature-requests/{wish['id']}")
    assert (found["votes"], found["voted"], found["version"]) == (6, True, 1)

    for _ in range(2):
        answer = send(registry, f"/{wish['id']}/vote", method="DELETE")
    assert (answer.json()["votes"], answer.json()["voted"]) == (5, False)


def test_a_change_of_what_was_changed_since_is_refused(registry: Registry) -> None:
    wish = ask(registry)
    path = f"/{wish['id']}"
    tag = registry.ask(f"/feature-requests{path}").headers["etag"]

    assert send(registry, path, {"purpose": "a"}, "PATCH").status_code == 428
    assert send(registry, path, {"purpose": "a"}, "PATCH", If_Match=tag).status_code == 200
    assert send(registry, path, {"purpose": "b"}, "PATCH", If_Match=tag).status_code == 412
    assert send(registry, f"{path}/plan", {}, If_Match=tag).status_code == 412
    assert send(registry, path, {"purpose": "b"}, "PATCH", If_Match="nonsense").status_code == 412
    assert registry.get(f"/feature-requests{path}")["purpose"] == "a"


def test_a_wish_goes_its_way_and_no_other(registry: Registry) -> None:
    path = f"/{ask(registry)['id']}"
    registry.post(
        task_event(
            outputs=(
                written(
                    declaration("gusts"),
                ),
            )
        )
    )
    feature = {"project": "nyc", "feature_set": "delays", "name": "gusts"}
    steps: list[tuple[str, Any, int, str]] = [
        ("reopen", {"reason": "x"}, 409, "open"),
        ("plan", {"by": "team wind", "until": "2026-11-30"}, 200, "planned"),
        ("plan", {"by": "team wind", "until": "2026-11-30"}, 200, "planned"),
        ("withdraw", {"reason": "late"}, 409, "planned"),
        ("decline", {}, 422, "planned"),
        ("decline", {"reason": "no gauge"}, 200, "declined"),
        ("decline", {"reason": "no gauge"}, 200, "declined"),
        ("plan", {}, 409, "declined"),
        ("reopen", {"reason": "a gauge was bought"}, 200, "open"),
        ("fulfil", feature | {"name": "absent"}, 409, "open"),
        ("fulfil", feature, 200, "done"),
        ("fulfil", feature, 200, "done"),
        ("decline", {"reason": "x"}, 409, "done"),
    ]
    for step, body, status, state in steps:
        answer = send(registry, f"{path}/{step}", body)
        assert answer.status_code == status, (step, answer.text)
        assert registry.get(f"/feature-requests{path}")["state"] == state, step

    assert send(registry, f"{path}/vote", method="PUT").status_code == 409
    entries = registry.get(f"/feature-requests{path}/entries", limit=2)
    kinds = [entry["kind"] for entry in entries["items"]]
    rest = registry.get(f"/feature-requests{path}/entries", cursor=entries["cursor"])
    assert kinds + [entry["kind"] for entry in rest["items"]] == ["done", "reopened", "declined", "planned", "asked"]
    assert registry.feature("gusts")["fulfils"] == [f"{REQUESTS}{path}"]


def test_a_feature_that_stands_is_not_asked_for(registry: Registry) -> None:
    registry.post(
        task_event(
            outputs=(
                written(
                    declaration("gust_max_1h"),
                ),
            )
        )
    )
    refused = send(registry, body=WISH)

    assert refused.status_code == 409
    assert refused.json()["related"] == [
        {
            "kind": "feature",
            "href": "/api/v1/features/nyc/delays/gust_max_1h",
            "title": "gust_max_1h",
            "state": None,
            "reason": None,
        }
    ]
    registry.post(task_event(task="gone", day=1, outputs=(defined(deleted=True),)))
    ask(registry)


def test_a_wish_whose_feature_appears_is_offered_to_be_closed(registry: Registry) -> None:
    wish = ask(registry)
    registry.post(
        task_event(
            outputs=(
                written(
                    declaration("gustMax1h"),
                ),
            )
        )
    )

    found = registry.get("/feature-requests", state="open")["items"][0]
    assert found["appeared"] == {"project": "nyc", "feature_set": "delays", "name": "gustMax1h"}
    assert found["id"] == wish["id"]


def test_what_does_not_exist_says_why(registry: Registry) -> None:
    wish = ask(registry)
    send(registry, f"/{wish['id']}/decline", {"reason": "there is no gauge"})

    absent = registry.ask("/features/nyc/delays/gust_max_1h")
    assert absent.status_code == 404
    assert [(said["state"], said["reason"]) for said in absent.json()["related"]] == [("declined", "there is no gauge")]
    searched = registry.get("/search/features", q="gust max")
    assert searched["ask"]["template"] == {"project": None, "name": "gust_max", "purpose": None}
    assert [request["id"] for request in searched["requests"]] == [wish["id"]]


def test_wishes_outlive_a_rebuild(registry: Registry) -> None:
    registry.post(
        task_event(
            outputs=(
                written(
                    declaration("gusts"),
                ),
            )
        )
    )
    wish = ask(registry)
    send(registry, f"/{wish['id']}/fulfil", {"project": "nyc", "feature_set": "delays", "name": "gusts"})
    before = registry.get("/search/features", q="gusts"), registry.get(f"/feature-requests/{wish['id']}")
    rebuild(registry.database, lambda _done, _total: None)

    assert (registry.get("/search/features", q="gusts"), registry.get(f"/feature-requests/{wish['id']}")) == before
    assert before[0]["items"][0]["name"] == before[1]["feature"]["name"] == "gusts"


def test_pages_follow_votes_or_time(registry: Registry) -> None:
    wishes = [ask(registry, name=f"wish_{number}") for number in range(5)]
    send(registry, f"/{wishes[1]['id']}/vote", method="DELETE")
    for sort, expected in (("votes", [4, 3, 2, 0, 1]), ("newest", [4, 3, 2, 1, 0])):
        seen: list[str] = []
        cursor = None
        for _ in range(3):
            page = registry.get("/feature-requests", sort=sort, limit=2, **({"cursor": cursor} if cursor else {}))
            seen += [item["id"] for item in page["items"]]
            cursor = page["cursor"]
        assert cursor is None
        assert seen == [wishes[number]["id"] for number in expected]
    assert registry.ask("/feature-requests", sort="newest", cursor="bm9uc2Vuc2U").status_code == 400
    assert len(registry.get("/feature-requests", q="diver wish_1")["items"]) == 1


def test_only_those_who_may_read_ask_and_only_those_who_may_write_decide(registry: Registry) -> None:
    nyc, sea = Sight(frozenset({"nyc"})), Sight(frozenset({"sea"}))
    reader = Caller("reader", frozenset({Scope.REGISTRY_READ}), sight=nyc, writes=NOTHING)
    stranger = Caller("stranger", frozenset(Scope), sight=sea, writes=sea)
    with registry.database.writing() as session:
        mine = RequestService(session, reader, DAY)
        wish, _ = mine.ask(NewFeatureRequest.model_validate(WISH), None)
        for refused in (
            lambda: mine.plan(wish.id, Plan(), None),
            lambda: mine.decline(wish.id, "x", None),
            lambda: mine.fulfil(wish.id, FeatureRef(project="nyc", feature_set="a", name="b"), None),
            lambda: mine.reopen(wish.id, "x", None),
        ):
            with pytest.raises(ForbiddenError):
                refused()
        other = RequestService(session, stranger, DAY)
        for hidden in (
            lambda: other.get(wish.id),
            lambda: other.vote(wish.id, wanted=True),
            lambda: other.plan(wish.id, Plan(), None),
            lambda: other.ask(NewFeatureRequest.model_validate(WISH), None),
        ):
            with pytest.raises(NotFoundError):
                hidden()
    assert registry.ask(f"/feature-requests/{uuid4()}").status_code == 404


def test_a_wish_that_cannot_be_read_is_refused(registry: Registry) -> None:
    wrong: list[Any] = [
        {},
        [],
        WISH | {"name": "ünpronounceable"},
        WISH | {"project": "a/b"},
        WISH | {"purpose": "  "},
        WISH | {"purpose": "\x00"},
        WISH | {"wanted_by": "soon"},
        WISH | {"more": 1},
    ]
    assert {send(registry, body=body).status_code for body in wrong} == {422, 400}
