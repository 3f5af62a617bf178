"""Nothing hostile gets in over HTTP: each attempt is refused with its own reason, none breaks, nothing is left behind.

The kinds are those of the threat model; archives that are broken byte by byte stand in tests/sharing.
"""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from festaf.contract.dag_inspection import DagInspection
from festaf.contract.dag_package import MANIFEST_PATH, Requires
from festaf.sharing import canonical_zip
from festaf.sharing.archive import list_files
from festaf.sharing.manifest import manifest_bytes
from festaf.sharing.names import RESERVED
from tests.buckets import Folder
from tests.registry_api.dag_packages.conftest import NO_LIMITS, digest_header, open_house
from tests.sharing.packages import FILES, archive, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Response

    from tests.registry_api.dag_packages.conftest import House

TABLES = ("dag_package", "dag_package_version", "dag_package_upload", "dag_package_fact", "dag_package_change")
NONE_LEFT = dict.fromkeys(TABLES, 0)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give one registry for everything hostile: it is as empty after as before."""
    folder = tmp_path_factory.mktemp("hostile")
    with open_house(f"sqlite:///{folder / 'registry.db'}", Folder(folder / "blobs")) as found:
        yield found


def left(house: House) -> dict[str, int]:
    with house.database.reading() as session:
        return {name: session.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in TABLES}


def refused(house: House, data: bytes, words: str, path: str = "acme/sales/1.4.0", status: int = 422) -> None:
    answer = house.send(data, "root", path)
    assert answer.status_code == status, (answer.status_code, answer.text[:500])
    assert words in answer.text, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.left() == []
    assert left(house) == NONE_LEFT


def raw(manifest_text: bytes, files: dict[str, bytes] | None = None) -> bytes:
    """Write an archive whose manifest says anything."""
    entries = FILES if files is None else files
    return canonical_zip.write([(MANIFEST_PATH, manifest_text), *sorted(entries.items())])


def said(**changes: Any) -> bytes:
    """Write an archive whose manifest is canonical, and wrong in a field."""
    complete = manifest().model_copy(update={"files": list_files(FILES), **changes})
    return raw(manifest_bytes(complete))


def text_of(**changes: Any) -> dict[str, Any]:
    content = json.loads(manifest_bytes(manifest().model_copy(update={"files": list_files(FILES)})))
    return {**content, **changes}


GOOD = manifest_bytes(manifest().model_copy(update={"files": list_files(FILES)}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(raw(GOOD.replace(b"{", b'{"name":"x",', 1)), "json_key_twice", id="41-keys-twice"),
        pytest.param(raw(GOOD.replace(b'"acme"', b"NaN")), "json_number", id="42-nan"),
        pytest.param(raw(GOOD.replace(b'"acme"', b"1e999")), "json_number", id="42-infinite"),
        pytest.param(raw(b"[" * 100_000), "json_depth", id="43-deep"),
        pytest.param(raw(GOOD.replace(b'"acme"', b"9" * 5_000)), "json_number", id="43-digits"),
        pytest.param(raw(b"&a [*a]\n"), "bad_json", id="44-yaml"),
        pytest.param(raw(GOOD + b"\n"), "manifest_spelling", id="69-written-otherwise"),
        pytest.param(raw(json.dumps(text_of(surprise=1)).encode()), "bad_manifest", id="41-unknown-field"),
        pytest.param(raw(b"\xff\xfe"), "json_encoding", id="43-no-utf8"),
        pytest.param(said(files=list_files({**FILES, "x.sql": b""})), "missing_file", id="50-missing"),
        pytest.param(raw(GOOD, {**FILES, "x.sql": b""}), "unlisted_file", id="50-unlisted"),
        pytest.param(raw(GOOD, {**FILES, "sales.py": b"evil()\n"}), "wrong_hash", id="50-wrong-hash"),
        pytest.param(said(tags=("<script>",)), "bad_tag", id="57-tag"),
        pytest.param(said(owners=("a\r\nSet-Cookie: x",)), "bad_owner", id="59-owner"),
        pytest.param(said(summary="good\u202edoog"), "unseen_character", id="57-bidi"),
        pytest.param(
            said(dags=(DagInspection(dag_id="</script><script>", file="sales.py"),)), "bad_id", id="57-dag-id"
        ),
        pytest.param(
            said(dags=(DagInspection(dag_id="sales", file="sales.py"),) * 2), "dag_id_twice", id="51-dag-id-twice"
        ),
        pytest.param(said(requires=Requires(packages=("foo @ file:///etc/passwd",))), "foo", id="53-file"),
        pytest.param(said(requires=Requires(packages=("foo @ git+ssh://-oProxyCommand=x",))), "foo", id="53-git"),
        pytest.param(said(requires=Requires(packages=("--index-url=https://evil",))), "index-url", id="54-option"),
        pytest.param(said(requires=Requires(packages=("foo\n-r evil.txt",))), "foo", id="54-newline"),
    ],
)
def test_a_manifest_says_what_it_must(shared: House, data: bytes, words: str) -> None:
    refused(shared, data, words)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("01.0", "written as '1.0'"),
        ("v1.0", "written as '1.0'"),
        ("1.0-1", "written as '1.0.post1'"),
        ("1!0", "epoch"),
        ("1.0+x", "local part"),
        ("latest", "none of PEP 440"),
        ("-rf", "none of PEP 440"),
        ("\u0663.\u0660", "not ASCII"),
        ("1." + "9" * 60, "too many or too large numbers"),
    ],
)
def test_a_version_is_written_in_one_way(shared: House, version: str, words: str) -> None:
    refused(shared, said(version=version), words, f"acme/sales/{version}")


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "con",
        "-rf",
        ".",
        "x",
        "1x",
        "My_DAG",
        "my.dag",
        "my--dag",
        "anem\u043ei",
        "a" * 65,
        *sorted(RESERVED)[:3],
    ],
)
def test_a_name_is_one_that_means_nothing_else(shared: House, name: str) -> None:
    answer = shared.send(said(name=name), "root", f"acme/{name}/1.4.0")
    assert answer.status_code in {404, 405, 422}, answer.text
    assert shared.left() == []
    refused(shared, said(name=name), "name")


@pytest.mark.parametrize("namespace", ["Acme", "a", "acme..", "a_b"])
def test_a_namespace_is_written_in_small_letters(shared: House, namespace: str) -> None:
    refused(shared, said(namespace=namespace), "namespace", f"{namespace}/sales/1.4.0")


SECOND = FILES["sales.py"].replace(b"sales", b"other").replace(b"acme_other", b"acme_sales")


@pytest.mark.parametrize(
    ("files", "changes", "words"),
    [
        ({**FILES, "other.py": SECOND}, {}, "other.py defines the DAG 'other', which the manifest does not name"),
        (FILES, {"dags": ()}, "sales.py defines the DAG 'sales'"),
        (
            {**FILES, "sales.py": b"# no airflow dag\n"},
            {},
            "the manifest names the DAG 'sales', which no file defines",
        ),
        (
            {**FILES, "sales.py": FILES["sales.py"].replace(b"return TOTAL", b"return Variable.get('password')")},
            {},
            "needs the variable 'password'",
        ),
    ],
)
def test_a_manifest_hides_nothing_of_the_code(
    shared: House, files: dict[str, bytes], changes: dict[str, Any], words: str
) -> None:
    files = {**files, "sales.py": files["sales.py"].replace(b"dag, task", b"Variable, dag, task")}
    refused(shared, archive(files, **changes), words)


def test_one_id_is_that_of_one_dag(shared: House) -> None:
    refused(shared, archive({**FILES, "again.py": FILES["sales.py"]}), "'sales'")


@pytest.mark.parametrize(
    "source",
    [
        b"from airflow.sdk import dag\nx = " + b"-" * 100_000 + b"1\n",
        b"from airflow.sdk import dag\nx = " + b"(" * 5_000 + b")" * 5_000 + b"\n",
        b"from airflow.sdk import dag\nx = " + b"lambda: " * 5_000 + b"1\n",
        b"# -*- coding: utf-7 -*-\n# airflow dag\n",
        b"from airflow.sdk import dag\x00\n",
        b"# comment airflow dag\rimport os\n",
    ],
    ids=["28-minus", "30-parens", "31-lambda", "34-utf7", "32-nul", "35-return"],
)
def test_code_that_hurts_its_reader_is_never_published(house: House, source: bytes) -> None:
    data = archive({**FILES, "evil.py": source})
    answer = house.send(data)
    if answer.status_code == 201:
        refusal = house.step("ann", "publish", digest=answer.json()["digest"])
        assert refusal.status_code == 409, refusal.text
        assert "evil.py" in refusal.text
    else:
        assert answer.status_code == 422, answer.text
        assert "evil.py" in answer.text
        assert house.left() == []


@pytest.mark.parametrize(
    "source",
    [b"x = [" + b"1," * 50_000 + b"]\n", b"while True:\n    x = 'a' * 10 ** 10\n", b"x = lambda: x()\nx()\n"],
    ids=["27-list", "38-loop", "38-recursion"],
)
def test_code_without_end_is_read_within_bounds(house: House, source: bytes) -> None:
    began = time.monotonic()
    answer = house.send(archive({**FILES, "evil.py": b"from airflow.sdk import dag\n" + source}))
    assert answer.status_code in {201, 422}, answer.text
    assert time.monotonic() - began < 60
    assert house.ask("ian", "GET", "/dag-packages").status_code == 200


def test_a_secret_in_a_file_is_never_published(house: House) -> None:
    key = "AKIA" + "IOSFODNN7ABCDEFG"
    staged = house.stage(files={**FILES, "sql/total.sql": f"-- aws_access_key_id = '{key}'\n".encode()})
    assert key not in str(staged["findings"])
    answer = house.step("ann", "publish", digest=staged["digest"])
    assert answer.status_code == 409
    assert "sql/total.sql" in answer.text
    assert key not in answer.text


def foreign(kind: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED) as writing:
        writing.writestr("../../evil.py" if kind == "traversal" else "evil.py", "x" * 100_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no_zip"),
        (b"not an archive", "no_zip"),
        (foreign("deflated"), "refused"),
        (foreign("traversal"), "refused"),
        (archive()[:-10], "refused"),
        (archive() + b"x", "trailing_bytes"),
        (b"#!/usr/bin/python\n" + archive(), "no_zip"),
    ],
)
def test_what_is_no_canonical_archive_is_refused(shared: House, data: bytes, words: str) -> None:
    refused(shared, data, words)


def test_a_body_is_bounded_while_it_comes(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("festaf.registry_api.dag_packages.edge.ARCHIVE_BYTES", 1_000)
    refused(shared, archive(), "larger than 1000 bytes", status=413)

    def pieces() -> Iterator[bytes]:
        yield from (b"x" * 400 for _ in range(10))

    headers = {"Content-Type": "application/zip", "Content-Digest": digest_header(b"")}
    answer = shared.ask("root", "PUT", "/dag-packages/acme/sales/1.4.0/archive", content=pieces(), headers=headers)
    assert answer.status_code == 413
    lie = {**headers, "Content-Length": "99999999999999999999999999"}
    answer = shared.ask("root", "PUT", "/dag-packages/acme/sales/1.4.0/archive", content=b"x", headers=lie)
    assert answer.status_code == 413


def test_a_form_is_no_archive(shared: House) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""):
        answer = shared.send(archive(), "root", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    assert shared.left() == []


def ask(house: House, method: str, path: str, **given: Any) -> Response:
    return house.ask("ann", method, f"/dag-packages/acme/sales/1.4.0{path}", **given)


@pytest.mark.parametrize(
    "reason", ["<script>alert(1)</script>", "a\r\nSet-Cookie: x=1", "\x1b[2J", "=cmd()", "{{ 7 * 7 }}", "' OR 1=1 --"]
)
def test_a_reason_is_text_and_nothing_else(house: House, reason: str) -> None:
    house.publish()
    answer = ask(house, "POST", "/yank", json={"reason": reason})
    assert (answer.status_code, answer.json()["reason"]) == (200, reason)
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    assert house.get("/dag-packages/acme/sales")["versions"][0]["reason"] == reason


BODIES: list[bytes] = [
    *(b"", b"{}", b"[]", b"null", b"\xff", b"{" * 9, b'{"reason": ""}', b'{"reason": 1}'),
    *(b'{"reason": "x", "by": "eve"}', b'{"reason": "\\u0000"}', json.dumps({"reason": "x" * 2_001}).encode()),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_says_nothing_is_refused(house: House, body: bytes) -> None:
    house.publish()
    answer = ask(house, "POST", "/yank", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert house.get("/dag-packages/acme/sales/1.4.0")["state"] == "published"


def test_what_is_hidden_is_as_if_it_did_not_exist(house: House) -> None:
    secret = house.publish("max", namespace="other", name="merger-plans", tags=("hush",))
    house.publish()
    here = "/dag-packages/other/merger-plans"
    for path in ("", "/1.4.0", "/1.4.0/archive", "/1.4.0/readme", "/1.4.0/graph", "/1.4.0/files/README.md"):
        there, absent = house.ask("ian", "GET", here + path), house.ask("ian", "GET", "/dag-packages/third/x" + path)
        assert there.status_code == absent.status_code == 404
        assert there.json()["detail"].replace("other/merger-plans", "third/x") == absent.json()["detail"]
    assert house.ask("ian", "GET", "/dag-namespaces/other").status_code == 404
    assert house.ask("ian", "GET", "/dag-namespaces/other/keys").status_code == 404
    assert house.get("/dag-packages", q="merger")["items"] == []
    assert house.get("/dag-packages", tag="hush")["items"] == []
    assert "merger" not in str(house.get("/dag-packages/changes"))
    for step, body in (("approve", {"digest": secret["digest"]}), ("yank", {"reason": "x"}), ("release", {})):
        assert house.ask("ann", "POST", f"{here}/1.4.0/{step}", json=body).status_code == 403
    assert house.send(archive(namespace="other"), "ann", "other/sales/1.4.0").status_code == 403
    similar = house.send(archive(name="rnerger-p1ans"), "ann", "acme/rnerger-p1ans/1.4.0")
    assert similar.status_code == 201
    assert "other" not in similar.text.replace("otherwise", "")


def test_too_much_at_once_is_slowed_down(tmp_path: Path) -> None:
    limits = type(NO_LIMITS)(None, None, None, None, uploads="3/hour", packages="1/hour")
    with open_house(f"sqlite:///{tmp_path / 'slow.db'}", Folder(tmp_path / "blobs"), limits) as house:
        house.stage()
        second = house.send(archive(name="stocks"), path="acme/stocks/1.4.0")
        assert (second.status_code, "Retry-After" in second.headers) == (429, True)
        assert house.stage(version="1.5.0")["version"] == "1.5.0"
        assert house.send(archive(version="1.6.0"), path="acme/sales/1.6.0").status_code == 429
        assert len(house.left()) == 2


def test_a_digest_header_is_read_strictly(shared: House) -> None:
    data = archive()
    good = digest_header(data)
    for wrong in (
        "",
        good[:-1],
        good.replace(":", "", 1),
        "sha-512=:x:",
        "sha-256=::",
        f"sha-256={base64.b64encode(data[:32]).decode()}",
    ):
        answer = shared.send(data, "root", headers={"Content-Digest": wrong})
        assert answer.status_code == 400, wrong
    assert shared.left() == []
