"""Archives and manifests as attackers make them: each is refused for its own reason, before anything is unpacked."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import time
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.dag_inspection import DagInspection, InspectedTask
from festaf.contract.dag_package import PackageParameter, Requires
from festaf.sharing import canonical_zip
from festaf.sharing.archive import open_archive, refused
from festaf.sharing.errors import ArchiveError
from festaf.sharing.manifest import read_manifest
from tests.sharing.packages import FILES, archive, manifest

if TYPE_CHECKING:
    from collections.abc import Callable

ARCHIVE = archive()
FIRST = b"festaf.json"


def refusal(data: bytes) -> str:
    began = time.process_time()
    with pytest.raises(ArchiveError) as caught:
        open_archive(data)
    assert time.process_time() - began < 5
    assert str(caught.value).isprintable()
    return caught.value.code


def made(change: Callable[[zipfile.ZipInfo], None] | None = None, content: bytes = b"x", **options: Any) -> bytes:
    """Make a zip file with Python's own writer: a manifest that is none, and one entry that a test changes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as written, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entry = zipfile.ZipInfo("festaf.json")
        entry.create_system, entry.external_attr = 3, 0o100644 << 16
        entry.compress_type = options.get("compression", zipfile.ZIP_STORED)
        if change is not None:
            change(entry)
        written.writestr(entry, content)
    return buffer.getvalue()


def set_field(**fields: Any) -> Callable[[zipfile.ZipInfo], None]:
    def change(entry: zipfile.ZipInfo) -> None:
        for name, value in fields.items():
            setattr(entry, name, value)

    return change


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"external_attr": 0o120777 << 16}, "link"),
        ({"external_attr": 0o40755 << 16}, "folder"),
        ({"external_attr": 0o10644 << 16}, "mode"),
        ({"external_attr": 0o20644 << 16}, "mode"),
        ({"external_attr": 0o104755 << 16}, "mode"),
        ({"external_attr": 0o100755 << 16}, "mode"),
        ({"comment": b"hidden"}, "comment"),
        ({"extra": b"\x01\x00\x00\x00"}, "extra_field"),
        ({"date_time": (2024, 1, 1, 0, 0, 0)}, "time"),
        ({"create_system": 0}, "header"),
        ({"filename": "folder/"}, "folder"),
    ],
)
def test_an_entry_that_is_no_plain_file_is_refused(fields: dict[str, Any], code: str) -> None:
    assert refusal(made(set_field(**fields))) == code


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_refused_without_being_unpacked(compression: int) -> None:
    assert refusal(made(content=bytes(20_000_000), compression=compression)) == "compressed"


def patched(offset: int, value: bytes, data: bytes = ARCHIVE) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def central(name: str) -> int:
    """Give where the directory's record of an entry begins."""
    return ARCHIVE.rindex(name.encode()) - 46


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (patched(central("sales.py") + 8, b"\x01\x00"), "encrypted"),
        (patched(central("sales.py") + 8, b"\x08\x00"), "data_descriptor"),
        (patched(central("sales.py") + 10, b"\x63\x00"), "compressed"),
        (patched(central("sales.py") + 20, b"\x01\x00\x00\x00"), "sizes"),
        (patched(central("sales.py") + 20, struct.pack("<LL", 2**30, 2**30)), "large_file"),
        (patched(central("sales.py") + 42, b"\x00\x00\x00\x00"), "overlap"),
        (patched(6, b"\x01\x00"), "header_mismatch"),
        (patched(30, b"FESTAF.json"), "header_mismatch"),
        (patched(ARCHIVE.index(b"Sales\n"), b"Sells\n"), "checksum"),
        (ARCHIVE + b"evil", "trailing_bytes"),
        (ARCHIVE + ARCHIVE, "hidden_bytes"),
        (b"#!/bin/sh\n" + ARCHIVE, "no_zip"),
        (ARCHIVE[:-30] + ARCHIVE[-22:], "hidden_bytes"),
        (ARCHIVE[:-22] + b"evil" + ARCHIVE[-22:], "hidden_bytes"),
        (ARCHIVE[:-2] + b"\x04\x00evil", "trailing_bytes"),
        (b"", "no_zip"),
        (b"PK\x05\x06" + bytes(18), "no_zip"),
        (ARCHIVE[:-22] + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, 0, 0xFFFFFFFF, 0), "zip64"),
        pytest.param(b"PK\x03\x04" + bytes(60 * 2**20), "large_archive", id="large"),
    ],
)
def test_an_archive_that_two_readers_read_differently_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def rewritten(entries: list[tuple[str, bytes]]) -> bytes:
    """Write entries without any of the checks."""
    return canonical_zip.write(entries)


ENTRIES = list(canonical_zip.read(ARCHIVE).items())
LISTING = json.loads(ENTRIES[0][1])


def described(**changes: Any) -> bytes:
    content = {**LISTING, **changes}
    text = json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"
    return rewritten([("festaf.json", text.encode()), *ENTRIES[1:]])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (rewritten(ENTRIES[1:]), "no_manifest"),
        (rewritten([*ENTRIES[1:], ENTRIES[0]]), "no_manifest"),
        (rewritten([*ENTRIES, ("sales.py", b"evil")]), "duplicate"),
        (rewritten([ENTRIES[0], *reversed(ENTRIES[1:])]), "order"),
        (rewritten([*ENTRIES, ("../evil.py", b"")]), "parent_folder"),
        (rewritten([*ENTRIES, ("zz.sql", b"")]), "unlisted_file"),
        (rewritten(ENTRIES[:-1]), "missing_file"),
        (rewritten([*ENTRIES[:-1], (ENTRIES[-1][0], b"evil")]), "wrong_hash"),
        (rewritten([ENTRIES[0], *((f"{number:05}.sql", b"") for number in range(3_000))]), "many_entries"),
        (described(files=list(reversed(LISTING["files"]))), "file_order"),
        (described(files=[*LISTING["files"], LISTING["files"][-1]]), "file_order"),
        (described(name="Sales"), "bad_name"),
        (described(name="airflow"), "reserved_name"),
        (described(version="1.0+x"), "version_local"),
        (described(version="1" * 5_000), "long_version"),
        (described(namespace="../x"), "bad_namespace"),
        (described(schema_version=2), "schema_version"),
        (described(colour="red"), "bad_manifest"),
        (described(tags=["x"] * 10_000), "bad_manifest"),
        (described(summary="x" * 10**6), "bad_manifest"),
        (described(maturity="ripe"), "bad_manifest"),
        (described(maturity="experimental"), "manifest_spelling"),
        (described(readme="absent.md"), "bad_readme"),
        (described(screenshots=["sales.py"]), "bad_screenshot"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"schema_version":1,"name":"a","name":"b"}', "json_key_twice"),
        (b'{"schema_version":NaN}', "json_number"),
        (b'{"schema_version":Infinity}', "json_number"),
        (b'{"schema_version":1e999}', "json_number"),
        (b'{"schema_version":' + b"1" * 5_000 + b"}", "json_number"),
        (b"[" * 100_000, "json_depth"),
        (b'{"a":' * 100_000, "json_depth"),
        (b'"' + b'\\"' * 1_000_000, "bad_json"),
        (b"\xef\xbb\xbf{}", "bad_json"),
        (b"\xff", "json_encoding"),
        (b"[]", "bad_manifest"),
        (b"{}", "schema_version"),
        (b"", "bad_json"),
        (b'{"schema_version": 1}', "bad_manifest"),
        (b" " * (8 * 2**20 + 1), "large_manifest"),
    ],
)
def test_a_manifest_that_is_no_plain_json_is_refused(text: bytes, code: str) -> None:
    began = time.process_time()
    with pytest.raises(ArchiveError) as caught:
        read_manifest(text)
    assert caught.value.code == code
    assert time.process_time() - began < 2
    assert refusal(rewritten([("festaf.json", text), *ENTRIES[1:]])) in {code, "large_file"}


def tasks(*names: str, **edges: tuple[str, ...]) -> tuple[InspectedTask, ...]:
    return tuple(InspectedTask(task_id=name, operator="X", downstream=edges.get(name, ())) for name in names)


def dag(dag_id: str = "sales", file: str = "sales.py", *given: InspectedTask) -> DagInspection:
    return DagInspection(dag_id=dag_id, file=file, tasks=given)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dags": (dag(), dag())}, "dag_id_twice"),
        ({"dags": (dag(), dag("sales", "acme_sales/queries.py"))}, "dag_id_twice"),
        ({"dags": (dag("sales", "absent.py"),)}, "missing_file"),
        ({"dags": (dag("</script>"),)}, "bad_id"),
        ({"dags": (dag("sales", "sales.py", *tasks("<b>")),)}, "bad_id"),
        ({"dags": (dag("sales", "sales.py", *tasks("a", "b", a=("b",), b=("a",))),)}, "cycle"),
        ({"dags": (dag("sales", "sales.py", *tasks(*(f"t{number}" for number in range(10_001)))),)}, "many_tasks"),
        ({"tags": ("<b>",)}, "bad_tag"),
        ({"tags": ("x" * 51,)}, "bad_tag"),
        ({"tags": ("a", "a")}, "tag_twice"),
        ({"owners": ("a\nb",)}, "bad_owner"),
        ({"summary": "a\u202eb"}, "unseen_character"),
        ({"licence": "x" * 300_000}, "long_text"),
        ({"parameters": (PackageParameter(name="a"), PackageParameter(name="a"))}, "parameter_twice"),
        ({"requires": Requires(python="3.11; rm")}, "bad_specifier"),
        ({"requires": Requires(airflow="latest")}, "bad_specifier"),
        ({"requires": Requires(packages=("a @ file:///etc/passwd",))}, "requirement_url"),
        ({"requires": Requires(packages=("a>=1", "A>=2"))}, "requirement_twice"),
        ({"requires": Requires(packages=tuple(f"a{number}" for number in range(501)))}, "many_requirements"),
        ({"requires": Requires(system=("a\x1b[2J",))}, "bad_requirement"),
    ],
)
def test_what_a_manifest_may_not_say_is_refused(changes: dict[str, Any], code: str) -> None:
    complete = manifest(**changes).model_copy(update={"files": manifest_files()})
    assert {error.code for error in refused(complete, FILES)} == {code}


def manifest_files() -> Any:
    return open_archive(ARCHIVE).manifest.files


def test_a_tar_and_a_zip_that_is_a_tar_are_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("x")
        entry.size = len(ARCHIVE)
        tar.addfile(entry, io.BytesIO(ARCHIVE))
    assert refusal(buffer.getvalue()) == "no_zip"
    assert refusal(buffer.getvalue() + ARCHIVE) == "no_zip"


def test_a_name_that_is_no_text_is_refused() -> None:
    assert refusal(patched(central("sales.py") + 46, b"\xff")) == "name_encoding"


def test_a_hash_is_over_the_whole_archive() -> None:
    assert open_archive(ARCHIVE).digest == hashlib.sha256(ARCHIVE).hexdigest()
    assert ARCHIVE[30:41] == FIRST
