"""Versions are carried from one registry to another as one file; digests and signatures stay."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.dag_package import SignedStatement
from festaf.contract.dag_package_mirror import MIRROR_TYPE
from festaf.sharing.signature import new_key, public_key, sign
from tests.buckets import Folder, on_disk_and_s3
from tests.registry_api.dag_packages.conftest import digest_header, open_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx import Response

    from tests.registry_api.dag_packages.conftest import House

KEY = new_key()
NAMES = ["acme/sales/1.3.0", "acme/sales/1.4.0"]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[House]:
    """Give a second registry, which knows nothing."""
    with open_house(f"sqlite:///{tmp_path / 'other.db'}", Folder(tmp_path / "other-blobs")) as found:
        yield found


@pytest.fixture
def exported(house: House) -> bytes:
    """Give a file with two versions, one of them signed."""
    said = public_key(KEY, "laptop")
    key = {"public_key": said.public_key, "comment": said.comment}
    assert house.ask("joy", "PUT", f"/dag-namespaces/acme/keys/{said.key_id}", json=key).status_code == 200
    house.publish(version="1.3.0")
    version = house.stage()
    statement = SignedStatement(**{name: version[name] for name in ("namespace", "name", "version", "digest", "size")})
    signature = sign(statement, KEY).model_dump()
    assert house.ask("ann", "PUT", "/dag-packages/acme/sales/1.4.0/signature", json=signature).status_code == 200
    house.step("ann", "publish", digest=version["digest"])
    got = house.ask("ian", "GET", "/dag-packages/mirror", params={"package": NAMES})
    assert got.status_code == 200, got.text
    return got.content


def hand_over(house: House, data: bytes, who: str = "joy", **query: Any) -> Response:
    headers = {"Content-Type": MIRROR_TYPE, "Content-Digest": digest_header(data)}
    return house.ask(who, "POST", "/dag-packages/mirror", content=data, headers=headers, params=query)


@on_disk_and_s3
def test_digests_and_signatures_stay(house: House, other: House, exported: bytes) -> None:
    refused = hand_over(other, exported)
    assert refused.status_code == 422
    assert "trust_keys" in refused.json()["detail"]
    assert hand_over(other, exported, "ann", trust_keys=True).status_code == 403
    assert other.left() == []

    taken = hand_over(other, exported, trust_keys=True)
    assert taken.status_code == 200, taken.text
    assert [(item["version"], item["state"], item["new"]) for item in taken.json()["items"]] == [
        ("1.3.0", "published", True),
        ("1.4.0", "published", True),
    ]
    there, here = other.get("/dag-packages/acme/sales/1.4.0"), house.get("/dag-packages/acme/sales/1.4.0")
    assert (there["digest"], there["signatures"]) == (here["digest"], here["signatures"])
    assert there["origin"] == "http://testserver"
    got = other.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive")
    assert got.content == house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0/archive").content
    again = hand_over(other, exported).json()["items"]
    assert [(item["state"], item["new"]) for item in again] == [("published", False)] * 2


def test_the_rules_of_the_other_registry_hold_there(other: House, exported: bytes) -> None:
    other.rules(approvals=1)
    items = hand_over(other, exported, trust_keys=True).json()["items"]
    assert [(item["state"], item["waiting"]) for item in items] == [
        ("staged", ["1 more must approve it who did not send it"])
    ] * 2
    assert other.step("joy", "approve", digest=items[1]["digest"]).status_code == 403
    assert other.step("bob", "approve", digest=items[1]["digest"]).status_code == 200
    assert other.step("bob", "publish", digest=items[1]["digest"]).json()["state"] == "published"


def changed(data: bytes, change: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    change(entries)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return written.getvalue()


def _index(key: str, value: Any) -> Callable[[dict[str, bytes]], None]:
    def change(entries: dict[str, bytes]) -> None:
        index = json.loads(entries["mirror.json"])
        index["versions"][0][key] = value
        entries["mirror.json"] = json.dumps(index).encode()

    return change


def _swap(entries: dict[str, bytes]) -> None:
    first, second = [name for name in entries if name != "mirror.json"]
    entries[first], entries[second] = entries[second], entries[first]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda entries: entries.pop("mirror.json"), "no mirror.json"),
        (lambda entries: entries.update({"mirror.json": b'{"a":1,"a":2}'}), "json_key_twice"),
        (lambda entries: entries.update({"mirror.json": b"{}"}), "not as it must be"),
        (lambda entries: entries.update({"../../evil.py": b"x"}), "does not list"),
        (_swap, "not the one of its digest"),
        (_index("name", "purchases"), "another address"),
        (_index("version", "../x"), "another address"),
        (_index("namespace", "other"), "may not write"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    other: House, exported: bytes, change: Callable[[dict[str, bytes]], None], words: str
) -> None:
    answer = hand_over(other, changed(exported, change), trust_keys=True)
    assert answer.status_code in {403, 422}, answer.text
    assert words in answer.text
    assert other.left() == []
    assert other.get("/dag-packages", "root", awaiting=True)["items"] == []


def test_what_is_no_mirror_file_is_refused(other: House, exported: bytes) -> None:
    packed = changed(exported, lambda entries: None, zipfile.ZIP_DEFLATED)
    for data in (b"", b"PK\x03\x04", exported[:-30], exported[200:], packed):
        answer = hand_over(other, data, trust_keys=True)
        assert answer.status_code == 422, answer.text
    assert other.left() == []


def test_only_what_was_published_and_is_seen_is_exported(house: House) -> None:
    house.stage(version="0.1")
    house.publish()
    assert house.ask("ian", "GET", "/dag-packages/mirror", params={"package": "acme/sales/0.1"}).status_code == 409
    assert house.ask("eve", "GET", "/dag-packages/mirror", params={"package": "acme/sales/1.4.0"}).status_code == 404
    house.step("joy", "quarantine", reason="bad")
    assert house.ask("ian", "GET", "/dag-packages/mirror", params={"package": "acme/sales/1.4.0"}).status_code == 451
