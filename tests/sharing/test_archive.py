"""One content has one archive, and nothing else opens."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from festaf.sharing import limits
from festaf.sharing.archive import build_archive, digest_of, open_archive, refused
from festaf.sharing.errors import ArchiveError
from tests.sharing.packages import FILES, archive, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHIVE = archive()
CONTENTS = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.(sql|txt|md|yaml)", fullmatch=True),
    st.binary(max_size=50),
    max_size=6,
)


def refusal(data: bytes) -> str:
    with pytest.raises(ArchiveError) as caught:
        open_archive(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000
    return caught.value.code


def reasons(files: Mapping[str, bytes]) -> set[str]:
    return {error.code for error in refused(manifest(files=(), readme=None, dags=()), files)} - {"unlisted_file"}


def test_an_archive_opens_as_what_went_in() -> None:
    opened = open_archive(ARCHIVE)
    assert dict(opened.files) == FILES
    assert opened.manifest.model_copy(update={"files": ()}) == manifest()
    assert [file.path for file in opened.manifest.files] == sorted(FILES)
    assert opened.digest == digest_of(ARCHIVE)
    assert opened.size == len(ARCHIVE)


def test_the_order_of_the_files_makes_no_difference() -> None:
    assert archive(dict(reversed(FILES.items()))) == ARCHIVE


def test_the_bytes_never_change() -> None:
    """Packages that were published must open for ever: a new digest here breaks every package there is."""
    assert digest_of(ARCHIVE) == "44a5dbdd96bffb437ab0d19adff3212c0b5aa9ac6e6af7f5841b70cf5debb75c"


def test_any_zip_program_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["festaf.json", *sorted(FILES)]
        assert opened.read("sales.py") == FILES["sales.py"]


def test_a_name_that_is_not_ascii_survives() -> None:
    files = {**FILES, "sql/größe.sql": b"select 1\n"}
    data = archive(files)
    assert dict(open_archive(data).files) == files
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert "sql/größe.sql" in opened.namelist()


@given(CONTENTS)
@settings(max_examples=50, deadline=None)
def test_every_content_that_is_taken_opens_again(files: dict[str, bytes]) -> None:
    try:
        data = build_archive(manifest(readme=None, dags=()), files)
    except ArchiveError:
        return
    assert dict(open_archive(data).files) == files
    assert build_archive(open_archive(data).manifest, files) == data


@given(st.integers(0, len(ARCHIVE) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    changed = bytearray(ARCHIVE)
    changed[place] ^= change
    refusal(bytes(changed))


@given(st.integers(0, len(ARCHIVE) - 1))
@settings(max_examples=50, deadline=None)
def test_an_archive_that_was_cut_off_is_refused(length: int) -> None:
    assert refusal(ARCHIVE[:length]) in {"truncated", "no_zip", "trailing_bytes"}


@given(st.binary(max_size=2_000))
def test_any_bytes_are_refused(data: bytes) -> None:
    refusal(data)


@given(st.binary(max_size=500))
def test_any_bytes_after_a_zip_start_are_refused(data: bytes) -> None:
    refusal(ARCHIVE[:30] + data + ARCHIVE[-22:])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../evil.py", "parent_folder"),
        ("/etc/x", "absolute_path"),
        ("..\\..\\x", "backslash"),
        ("C:/x.py", "drive"),
        ("//server/share/x", "absolute_path"),
        ("\\\\server\\share\\x", "backslash"),
        ("file.txt::$DATA", "stream"),
        ("a//b.sql", "unclear_path"),
        ("./a.sql", "unclear_path"),
        ("sql/", "unclear_path"),
        ("", "empty_path"),
        ("festaf.json", "manifest_path"),
        ("FESTAF.json", "manifest_path"),
        ("safe.txt\0.py", "nul"),
        ("gnp\u202e.py", "unseen_character"),
        ("a\x1b[2Jb.sql", "unseen_character"),
        ("a\nb.sql", "unseen_character"),
        ("a\u200bb.sql", "unseen_character"),
        ("a\u00a0b.sql", "unseen_character"),
        ("a\ufeff.sql", "unseen_character"),
        ("a?.sql", "bad_character"),
        ("gro\u0308sse.sql", "not_normalized"),
        ("a.sql.", "trailing_dot_or_space"),
        ("a.sql ", "trailing_dot_or_space"),
        (" a.sql", "trailing_dot_or_space"),
        ("x /a.sql", "trailing_dot_or_space"),
        ("con.py", "device_name"),
        ("sql/AUX", "device_name"),
        ("lpt1.tar.sql", "device_name"),
        ("a" * 300, "long_path"),
        ("/".join(["abcdefgh"] * 40), "long_path"),
        ("/".join("a" * 30), "deep_path"),
        (".env", "environment_file"),
        ("config/.env.production", "environment_file"),
        ("prod.env", "environment_file"),
        (".git/hooks/pre-commit", "repository"),
        ("key.pem", "key_file"),
        ("id_rsa", "key_file"),
        (".ssh/config", "hidden_file"),
        (".airflowignore", "airflowignore"),
        ("sub/.airflowignore", "airflowignore"),
        ("__pycache__/x.cpython-311.pyc", "bytecode"),
        ("x.pyc", "bytecode"),
        ("__pycache__/x.txt", "bytecode"),
        ("x.so", "native_code"),
        ("x.pyd", "native_code"),
        ("lib.whl", "nested_archive"),
        ("dags.zip", "nested_archive"),
        ("dags.ZIP", "nested_archive"),
        ("x.pth", "python_file"),
        ("x.pyi", "python_file"),
        ("x.PY", "python_file"),
        ("sitecustomize.py", "loaded_unasked"),
        ("lib/usercustomize.py", "loaded_unasked"),
        ("conftest.py", "loaded_unasked"),
        ("airflow_local_settings.py", "loaded_unasked"),
        ("airflow.cfg", "settings_file"),
        ("airflow/__init__.py", "shadows_airflow"),
        ("festaf.py", "shadows_airflow"),
        ("json.py", "shadows_python"),
        ("logging/__init__.py", "shadows_python"),
        ("\ud800.sql", "unseen_character"),
    ],
)
def test_a_path_that_may_not_be_is_refused_with_its_reason(path: str, code: str) -> None:
    files = {path: b"x"}
    assert reasons(files) == {code}
    with pytest.raises(ArchiveError) as caught:
        build_archive(manifest(readme=None, dags=()), files)
    assert caught.value.code == code
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (("dag.sql", "DAG.sql"), "twins"),
        (("Lib/a.sql", "lib/b.sql"), "twins"),
        (("stra\u00dfe.sql", "strasse.sql"), "twins"),
        (("\uff41.sql", "a.sql"), "twins"),
        (("a", "a/b.sql"), "file_and_folder"),
    ],
)
def test_paths_that_are_one_file_on_some_disks_are_refused(paths: tuple[str, ...], code: str) -> None:
    assert reasons(dict.fromkeys(paths, b"x")) == {code}


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("x.py", b"#" * (limits.SOURCE_BYTES + 1), "large_file"),
        ("x.sql", b" " * (limits.FILE_BYTES + 1), "large_file"),
        ("tool", b"\x7fELF" + bytes(100), "native_code"),
        ("data.bin", b"\x1f\x8b" + bytes(100), "nested_archive"),
        ("data.sql", b"select 1 -- " + ARCHIVE, "nested_archive"),
        ("dag.py", b"x = 1\n" + ARCHIVE, "nested_archive"),
        ("data.txt", bytes(257) + b"ustar" + bytes(300), "nested_archive"),
    ],
)
def test_a_content_that_may_not_be_is_refused_whatever_its_name(path: str, content: bytes, code: str) -> None:
    assert reasons({path: content}) == {code}


def test_too_many_files_are_refused() -> None:
    assert reasons({f"{number}.sql": b"" for number in range(limits.ENTRIES)}) == {"many_entries"}


def test_files_that_are_too_large_together_are_refused() -> None:
    content = bytes(limits.FILE_BYTES)
    assert reasons({f"{number}.bin": content for number in range(5)}) == {"large_archive"}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    files = {"../x": b"", "a.pyc": b"", "json.py": b"", "b.sql": b"", "B.sql": b""}
    assert reasons(files) == {"parent_folder", "bytecode", "shadows_python", "twins"}
