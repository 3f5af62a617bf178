"""Others look before a version is published; what they agreed to are bytes, not a name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from festaf.contract.dag_package import SignedStatement
from festaf.registry_api.edge import now
from festaf.sharing.signature import new_key, public_key, sign
from tests.registry_api.dag_packages.conftest import NOW, digest_header
from tests.sharing.packages import archive

if TYPE_CHECKING:
    from datetime import datetime

    from tests.registry_api.dag_packages.conftest import House


@pytest.fixture(params=["sqlite", "postgresql"])
def house_url(request: pytest.FixtureRequest) -> str:
    """Those who do it at once wait for each other by the database's locks."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


def test_one_who_sent_an_archive_does_not_approve_it(house: House) -> None:
    house.rules(approvals=2)
    staged = house.stage("ann")
    assert house.stage("bob")["digest"] == staged["digest"]
    for who in ("ann", "bob"):
        answer = house.step(who, "approve", digest=staged["digest"])
        assert answer.status_code == 403
        assert "cannot approve" in answer.json()["detail"]
    assert house.step("ian", "approve", digest=staged["digest"]).status_code == 403

    for _ in range(2):
        approved = house.step("cat", "approve", digest=staged["digest"], comment="fine")
        assert [item["by"] for item in approved.json()["approvals"]] == ["user/cat"]
    refused = house.step("ann", "publish", digest=staged["digest"])
    assert refused.status_code == 409
    assert refused.json()["errors"] == ["1 more must approve it who did not send it"]
    house.step("joy", "approve", digest=staged["digest"])
    assert house.step("ann", "publish", digest=staged["digest"]).json()["state"] == "published"


def test_one_who_approved_and_then_sends_the_same_bytes_counts_no_more(house: House) -> None:
    house.rules(approvals=1)
    staged = house.stage("ann")
    assert house.step("bob", "approve", digest=staged["digest"]).status_code == 200
    house.stage("bob")
    assert house.step("ann", "publish", digest=staged["digest"]).status_code == 409


def test_an_approval_is_of_bytes_and_other_bytes_void_it(house: House) -> None:
    house.rules(approvals=1)
    first = house.stage("ann")
    assert house.step("bob", "approve", digest=first["digest"]).status_code == 200
    second = house.stage("ann", summary="Something else")
    assert second["approvals"] == []
    stale = house.step("bob", "approve", digest=first["digest"])
    assert stale.status_code == 409
    assert second["digest"] in stale.json()["detail"]
    assert house.step("ann", "publish", digest=second["digest"]).status_code == 409

    assert house.stage("ann")["approvals"] == []
    assert house.step("ann", "publish", digest=first["digest"]).status_code == 409


def test_fresh_versions_cool_until_they_are_old_or_approved(house: House) -> None:
    clock = {"now": NOW}

    async def told() -> datetime:
        return clock["now"]

    house.app.dependency_overrides[now] = told
    house.rules(cooldown_hours=24)
    published = house.publish()
    assert published["cooling_until"] == "2026-11-27T12:00:00Z"
    assert house.get("/dag-packages/acme/sales")["versions"][0]["cooling_until"] == "2026-11-27T12:00:00Z"
    assert house.step("bob", "approve", digest=published["digest"]).json()["cooling_until"] is None
    second = house.publish(version="1.5.0")
    clock["now"] += timedelta(hours=25)
    assert house.get("/dag-packages/acme/sales/1.5.0")["cooling_until"] is None
    assert second["cooling_until"] is not None


def signed(staged: dict[str, Any], key: Any, **changes: Any) -> Any:
    said = {name: staged[name] for name in ("namespace", "name", "version", "digest", "size")}
    return sign(SignedStatement(**{**said, **changes}), key).model_dump()


def test_a_signature_holds_for_these_bytes_by_a_key_of_the_namespace(house: House) -> None:
    key, elsewhere, stranger = new_key(), new_key(), new_key()
    keys = "/dag-namespaces/acme/keys/"
    for namespace, one, expires in (("acme", key, None), ("other", elsewhere, None)):
        said = {"public_key": public_key(one).public_key, "comment": "x", "expires_at": expires}
        path = f"/dag-namespaces/{namespace}/keys/{public_key(one).key_id}"
        assert house.ask("root", "PUT", path, json=said).status_code == 200
    assert house.ask("ann", "PUT", keys + public_key(stranger).key_id, json={"public_key": "x"}).status_code == 403
    wrong = house.ask("joy", "PUT", keys + "0" * 32, json={"public_key": public_key(key).public_key})
    assert (wrong.status_code, public_key(key).key_id in wrong.json()["detail"]) == (422, True)
    house.rules(signatures_required=True)
    version = house.stage()
    path = "/dag-packages/acme/sales/1.4.0/signature"
    good = signed(version, key)
    for envelope, code in (
        (signed(version, stranger), "unknown_key"),
        (signed(version, elsewhere), "unknown_key"),
        (signed(version, key, version="1.4.1"), "not over these bytes"),
        (signed(version, key, digest="0" * 64), "not over these bytes"),
        (signed(version, key, namespace="other"), "not over these bytes"),
        ({**good, "payload_type": "application/json"}, "payload_type"),
        ({**good, "signature": signed(version, stranger)["signature"]}, "bad_signature"),
        ({**good, "payload": good["payload"][:-4] + "AAAA"}, "bad_"),
    ):
        answer = house.ask("ann", "PUT", path, json=envelope)
        assert (answer.status_code, code in answer.text) == (422, True), answer.text
    assert house.step("ann", "publish", digest=version["digest"]).status_code == 409

    assert len(house.ask("ann", "PUT", path, json=good).json()["signatures"]) == 1
    assert house.ask("joy", "DELETE", keys + public_key(key).key_id).json()["revoked_at"] is not None
    assert house.step("ann", "publish", digest=version["digest"]).status_code == 409
    again = house.ask("joy", "PUT", keys + public_key(key).key_id, json={"public_key": public_key(key).public_key})
    assert again.status_code == 409


def test_names_that_look_alike_are_refused(house: House) -> None:
    house.publish(name="sales-report")
    for name in ("sa1es-report", "sales-rep0rt", "salesreport", "sales-reports", "sales-repotr"):
        answer = house.send(archive(name=name), path=f"acme/{name}/1.4.0")
        assert answer.status_code == 409, name
        assert "looks like acme/sales-report" in answer.json()["detail"]
    path = "acme/sales-reports/1.4.0"
    meant = {"allow_look_alike": True}
    assert house.send(archive(name="sales-reports"), path=path, params=meant).status_code == 403
    assert house.send(archive(name="sales-reports"), "joy", path, params=meant).status_code == 201

    foreign = {"namespace": "other", "name": "sa1es-report"}
    refused = house.send(archive(**foreign), "max", "other/sa1es-report/1.4.0")
    assert refused.status_code == 409
    assert "acme/sales-report" in refused.json()["detail"]
    assert house.send(archive(**foreign), "eve", "other/sa1es-report/1.4.0").status_code == 201


def test_quotas_hold(house: House) -> None:
    house.rules(max_packages=1)
    most = house.stage()["size"] + 1_000
    answer = house.send(archive(name="stocks"), path="acme/stocks/1.4.0")
    assert (answer.status_code, "may have 1 packages" in answer.text) == (409, True)
    house.rules(max_bytes=most)
    again = house.send(archive(version="1.5.0", summary="x" * 250), path="acme/sales/1.5.0")
    assert (again.status_code, f"may keep {most} bytes" in again.text) == (409, True)
    assert house.send(archive(summary="other")).status_code == 201
    assert len(house.left()) == 1


def test_the_id_of_a_dag_that_another_package_has_is_told(house: House) -> None:
    house.publish("max", namespace="other")
    seen = house.publish("max", name="stocks")["findings"]
    assert [(item["rule"], "other/sales" in item["message"]) for item in seen] == [("dag-id-taken", True)]
    unseen = house.stage("ann", name="goods")["findings"]
    assert "other" not in str(unseen)
    assert "acme/stocks" in str(unseen)


def test_races_have_one_winner(house: House) -> None:
    data = [archive(summary=f"Number {number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(lambda one: house.send(one).status_code, data))
    assert sent == [201] * 6
    assert len(house.left()) == 1
    digest = house.get("/dag-packages/acme/sales/1.4.0")["digest"]
    assert house.left() == [digest]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: house.step("ann", "publish", digest=digest), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["published_at"] for answer in answers}) == 1
    assert [change["state"] for change in house.get("/dag-packages/changes")["changes"]] == ["published"]


def test_publishing_and_deleting_at_once_leaves_one_of_the_two(house: House) -> None:
    digest = house.stage()["digest"]
    with ThreadPoolExecutor(2) as pool:
        publishing = pool.submit(house.step, "ann", "publish", digest=digest)
        deleting = pool.submit(house.ask, "joy", "DELETE", "/dag-packages/acme/sales/1.4.0")
    assert publishing.result().status_code in {200, 410}
    assert deleting.result().status_code == 204
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0").status_code == 410
    assert house.left() == []


def test_first_packages_at_once_are_all_made(house: House) -> None:
    names = [f"{word}-flow" for word in ("alpha", "bravo", "charlie", "delta")]

    def send(name: str) -> int:
        data = archive(name=name)
        return house.send(data, path=f"acme/{name}/1.4.0", headers={"Content-Digest": digest_header(data)}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, names)) == [201] * 4
    with house.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM dag_package")) == 4


def test_every_step_is_in_the_audit_log(house: House) -> None:
    published = house.publish()
    house.step("ann", "yank", reason="wrong sums")
    rows = house.get("/audit", "root")["items"]
    told = [
        (row["actor"], row["action"], row["entity"], row["after"]) for row in rows if "dag_package" in row["action"]
    ]
    entity = "acme/sales/1.4.0"
    assert told == [
        ("ann", "dag_package.yank", entity, "wrong sums"),
        ("ann", "dag_package.publish", entity, published["digest"]),
        ("ann", "dag_package.stage", entity, published["digest"]),
    ]
