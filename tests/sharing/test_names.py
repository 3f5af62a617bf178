"""Names and versions that could be taken for others are refused, each with its own reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from festaf.sharing.errors import NameRefusedError
from festaf.sharing.names import (
    bundle_version,
    check_name,
    check_namespace,
    check_version,
    look_alike,
    parse_bundle_version,
    version_identity,
)

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize("name", ["sales", "sales-2024", "a1", "daily-sales-report"])
def test_a_plain_name_is_a_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "a", "../x", ".", "..", "-rf", "sales-", "1sales", "Sales", "my_dag", "my.dag", "my--dag", "%2e%2e", "a/b",
        "a\\b", "sales\n", " sales", "s\u0430les", "sales\u0663", "a" * 65, "a" * 100_000, "a\0b", "sa\u202eles",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        check_name(name)
    assert refusal.value.code == "bad_name"
    assert len(str(refusal.value)) < 400
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("name", ["airflow", "admin", "api", "json", "tests", "latest", "importlib"])
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        check_name(name)
    assert refusal.value.code == "reserved_name"


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9"])
def test_a_device_is_no_name(name: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        check_name(name)
    assert refusal.value.code == "device_name"
    with pytest.raises(NameRefusedError):
        check_namespace(name)


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "0.1.0", "2024.11.26", "1.0a1", "1.0rc2", "1.0.post1", "1.0.dev3"])
def test_a_canonical_version_is_one(version: str) -> None:
    assert check_version(version) == version


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("1!0", "version_epoch"),
        ("1.0+local", "version_local"),
        ("v1.0", "version_spelling"),
        ("01.0", "version_spelling"),
        (" 1.0\n", "version_spelling"),
        ("1.0-1", "version_spelling"),
        ("1.0.RC1", "version_spelling"),
        ("1" * 5_000, "long_version"),
        ("1" * 60, "bad_version"),
        ("1.1.1.1.1.1.1.1.1", "bad_version"),
        ("latest", "bad_version"),
        ("", "bad_version"),
        ("../x", "bad_version"),
        ("1.\u0660", "bad_version"),
        ("1.0\0", "bad_version"),
        ("-rf", "bad_version"),
        ("1.0; rm", "bad_version"),
        (">=1.0", "bad_version"),
    ],
)
def test_another_spelling_of_a_version_is_refused(version: str, code: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        check_version(version)
    assert refusal.value.code == code


def test_versions_that_count_as_one_have_one_identity() -> None:
    assert version_identity("1.0") == version_identity("1.0.0") == version_identity("1")
    assert version_identity("1.0") != version_identity("1.0.1")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("anem0i", "anemoi"),
        ("anernoi", "anemoi"),
        ("anemol", "anemoi"),
        ("my-dag", "mydag"),
        ("sales", "sale"),
        ("slaes", "sales"),
        ("sales", "salez"),
        ("svv-report", "sw-report"),
    ],
)
def test_a_look_alike_is_seen(name: str, other: str) -> None:
    assert look_alike(name, ["weather", other]) == other
    assert look_alike(other, ["weather", name]) == name


@pytest.mark.parametrize(
    ("name", "other"), [("sales", "sales"), ("sales", "weather"), ("hr", "it"), ("sales", "salary")]
)
def test_other_names_are_no_look_alikes(name: str, other: str) -> None:
    assert look_alike(name, [other]) is None


def test_a_bundle_version_is_read_as_it_was_written() -> None:
    text = bundle_version("1.4.0", DIGEST)
    assert text == f"1.4.0-{DIGEST[:32]}"
    assert parse_bundle_version(text).version == "1.4.0"
    assert parse_bundle_version(text).digest_start == DIGEST[:32]


@pytest.mark.parametrize(
    "text",
    [
        "", "1.4.0", f"../1.4.0-{DIGEST[:32]}", f"1.4.0-{DIGEST}", f"1.4.0-{DIGEST[:31]}",
        f"1.4.0-{DIGEST[:32].upper()}", f"a/b-{DIGEST[:32]}", f"1.0\0-{DIGEST[:32]}",
        f"1.4.0-{DIGEST[:32]}\n", f"1!1-{DIGEST[:32]}", "1" * 5_000,
        f"1.4.0+x-{DIGEST[:32]}", f"..-{DIGEST[:32]}", f"v1.0-{DIGEST[:32]}",
    ],
)  # fmt: skip
def test_another_text_is_no_bundle_version(text: str) -> None:
    with pytest.raises(NameRefusedError):
        parse_bundle_version(text)


def test_a_bundle_version_needs_a_digest() -> None:
    with pytest.raises(NameRefusedError) as refusal:
        bundle_version("1.4.0", "abc")
    assert refusal.value.code == "bad_digest"


@given(st.text())
def test_any_text_is_a_bundle_version_or_refused(text: str) -> None:
    try:
        parsed = parse_bundle_version(text)
    except NameRefusedError:
        return
    assert str(parsed) == text
    assert not set(text) & set("/\\\0!+")


@given(st.text(max_size=100))
def test_a_version_that_is_taken_is_its_own_canonical_form(version: str) -> None:
    try:
        assert check_version(version) == version
    except NameRefusedError:
        return
    assert version_identity(version_identity(version)) == version_identity(version)
