"""An archive is staged, looked at, published and got back, byte for byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.buckets import on_disk_and_s3
from tests.registry_api.dag_packages.conftest import digest_header
from tests.sharing.packages import archive

if TYPE_CHECKING:
    from tests.registry_api.dag_packages.conftest import House


@on_disk_and_s3
def test_what_was_published_comes_back_byte_for_byte(house: House) -> None:
    data = archive()
    staged = house.send(data)
    assert staged.status_code == 201, staged.text
    assert staged.json()["state"] == "staged"
    digest = staged.json()["digest"]
    assert digest == hashlib.sha256(data).hexdigest()

    published = house.step("ann", "publish", digest=digest)
    assert published.status_code == 200, published.text
    got = house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive")

    assert (got.status_code, got.content) == (200, data)
    assert got.headers["Content-Digest"] == digest_header(data)
    assert got.headers["Content-Disposition"] == 'attachment; filename="acme-sales-1.4.0.zip"'
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    version = house.get("/dag-packages/acme/sales/1.4.0")
    assert (version["state"], version["downloads"], version["uploaded_by"]) == ("published", 1, "user/ann")
    assert version["manifest"]["dags"][0]["dag_id"] == "sales"
    package = house.get("/dag-packages/acme/sales")
    assert (package["latest"], package["summary"], package["downloads"]) == ("1.4.0", "Totals of a day's sales", 1)
    assert house.left() == [digest]


@on_disk_and_s3
def test_the_same_bytes_again_change_nothing(house: House) -> None:
    data = archive()
    assert [house.send(data).status_code for _ in range(3)] == [201, 200, 200]
    digest = hashlib.sha256(data).hexdigest()
    answers = [house.step("ann", "publish", digest=digest).json() for _ in range(3)]
    assert answers[0]["state"] == "published"
    assert answers == [answers[0]] * 3
    assert house.send(data).json()["state"] == "published"
    assert [change["state"] for change in house.get("/dag-packages/changes")["changes"]] == ["published"]


@on_disk_and_s3
def test_other_bytes_take_the_place_of_staged_ones_and_never_of_published_ones(house: House) -> None:
    first = house.stage()
    second = house.stage(summary="Other words")
    assert first["digest"] != second["digest"]
    assert house.left() == [second["digest"]]
    assert house.step("ann", "publish", digest=first["digest"]).status_code == 409
    assert house.step("ann", "publish", digest=second["digest"]).status_code == 200

    again = house.send(archive())
    assert again.status_code == 409
    assert "never changes" in again.json()["detail"]
    assert house.left() == [second["digest"]]


def test_versions_that_count_as_one_are_one(house: House) -> None:
    house.stage(version="1.0")
    answer = house.send(archive(version="1.0.0"), path="acme/sales/1.0.0")
    assert answer.status_code == 409
    assert "counts as the same version as 1.0" in answer.json()["detail"]
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.0.0").status_code == 404


def test_a_yanked_version_is_still_got_and_a_quarantined_one_is_not(house: House) -> None:
    house.publish(version="1.3.0")
    house.publish()
    assert house.step("ann", "yank", reason="wrong sums").json()["state"] == "yanked"
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive").status_code == 200
    assert house.get("/dag-packages/acme/sales")["latest"] == "1.3.0"
    assert house.get("/dag-packages/acme/sales/1.4.0")["reason"] == "wrong sums"

    assert house.step("ann", "quarantine", reason="steals").status_code == 403
    assert house.step("joy", "quarantine", reason="steals").json()["state"] == "quarantined"
    refused = house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive")
    assert refused.status_code == 451
    assert "steals" in refused.json()["detail"]
    assert house.get("/dag-packages/acme/sales/1.4.0")["state"] == "quarantined"
    assert house.step("joy", "release").json()["state"] == "yanked"
    assert house.step("ann", "unyank").json()["state"] == "published"

    states = [(change["version"], change["state"]) for change in house.get("/dag-packages/changes")["changes"]]
    told = ["published", "yanked", "quarantined", "yanked", "published"]
    assert states == [("1.3.0", "published"), *(("1.4.0", state) for state in told)]


@on_disk_and_s3
def test_a_deleted_version_leaves_its_name_and_nothing_else(house: House) -> None:
    house.publish()
    assert house.ask("ann", "DELETE", "/dag-packages/acme/sales/1.4.0").status_code == 403
    for _ in range(2):
        assert house.ask("joy", "DELETE", "/dag-packages/acme/sales/1.4.0").status_code == 204

    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0").status_code == 410
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive").status_code == 410
    assert house.left() == []
    for data in (archive(), archive(summary="Other words")):
        again = house.send(data)
        assert again.status_code == 409
        assert "never be free again" in again.json()["detail"]
    assert house.left() == []
    assert house.get("/dag-packages/changes")["changes"][-1]["state"] == "deleted"


def test_changes_are_asked_for_by_one_conditional_request(house: House) -> None:
    house.publish()
    first = house.ask("ian", "GET", "/dag-packages/changes")
    etag, known = first.headers["ETag"], first.json()["sequence"]
    assert etag == f'"{known}"'
    same = {"If-None-Match": etag}
    again = house.ask("ian", "GET", "/dag-packages/changes", params={"since": known}, headers=same)
    assert (again.status_code, again.content) == (304, b"")

    house.publish(version="1.5.0")
    new = house.ask("ian", "GET", "/dag-packages/changes", params={"since": known}, headers=same)
    assert [change["version"] for change in new.json()["changes"]] == ["1.5.0"]


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Content-Digest": digest_header(b"other")}, 400, "not the one of Content-Digest"),
        ({"Content-Digest": "md5=:AAAA:"}, 400, "send Content-Digest"),
        ({"Content-Type": "text/plain"}, 415, "application/zip"),
        ({"Content-Encoding": "gzip"}, 415, "content encoding"),
    ],
)
def test_a_body_is_the_one_that_its_sender_meant(
    house: House, headers: dict[str, str], status: int, words: str
) -> None:
    answer = house.send(archive(), headers=headers)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert house.left() == []


def test_an_archive_goes_to_its_own_address(house: House) -> None:
    for path in ("acme/sales/1.4.1", "acme/other/1.4.0"):
        answer = house.send(archive(), path=path)
        assert answer.status_code == 422
        assert "sent to another address" in answer.json()["detail"]
    assert house.left() == []
