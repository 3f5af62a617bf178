"""A signature holds for the bytes it is over, by the key that made it, and for nothing else."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from festaf.contract.dag_package import Signature, SignedStatement
from festaf.sharing.errors import KeyFileError, SignatureError
from festaf.sharing.signature import (
    PAYLOAD_TYPE,
    new_key,
    pre_authentication,
    public_key,
    read_private_key,
    sign,
    verify,
    write_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY = new_key()
PUBLIC = public_key(KEY, "the release key")
STATEMENT = SignedStatement(namespace="acme", name="sales", version="1.4.0", digest="ab" * 32, size=1234)
SIGNED = sign(STATEMENT, KEY)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def refusal(signature: Signature, *keys: object, at: datetime | None = None) -> str:
    with pytest.raises(SignatureError) as caught:
        verify(signature, keys or (PUBLIC,), at=at)  # type: ignore[arg-type]  # Keys of other kinds are not tried.
    return caught.value.code


def encoded(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def test_a_signature_holds() -> None:
    assert verify(SIGNED, [public_key(new_key()), PUBLIC], at=NOW) == STATEMENT


def test_what_is_signed_is_the_type_and_the_bytes_with_their_lengths() -> None:
    assert pre_authentication("a", b"bc") == b"DSSEv1 1 a 2 bc"


def test_a_signature_by_another_key_is_refused() -> None:
    assert refusal(sign(STATEMENT, new_key())) == "unknown_key"


def test_a_signature_under_the_name_of_another_key_is_refused() -> None:
    forged = sign(STATEMENT, new_key()).model_copy(update={"key_id": PUBLIC.key_id})
    assert refusal(forged) == "bad_signature"


def test_a_public_key_under_the_id_of_another_is_refused() -> None:
    other = new_key()
    swapped = public_key(other).model_copy(update={"key_id": PUBLIC.key_id})
    forged = sign(STATEMENT, other).model_copy(update={"key_id": PUBLIC.key_id})
    assert refusal(forged, swapped) == "wrong_key_id"


def test_a_signature_over_another_statement_is_refused() -> None:
    other = sign(STATEMENT.model_copy(update={"version": "1.4.1"}), new_key())
    assert refusal(SIGNED.model_copy(update={"payload": other.payload})) == "bad_signature"


def test_a_statement_that_was_written_again_is_refused() -> None:
    again = json.dumps(json.loads(base64.b64decode(SIGNED.payload)), indent=1).encode()
    assert refusal(SIGNED.model_copy(update={"payload": encoded(again)})) == "bad_signature"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{}",
        b"not json",
        b'{"digest":"x"}',
        json.dumps(STATEMENT.model_dump(mode="json"), indent=1).encode(),
        json.dumps({**STATEMENT.model_dump(mode="json"), "more": 1}).encode(),
    ],
)
def test_a_signed_text_that_is_no_statement_is_refused(payload: bytes) -> None:
    sealed = Signature(
        payload_type=PAYLOAD_TYPE,
        payload=encoded(payload),
        key_id=PUBLIC.key_id,
        signature=encoded(KEY.sign(pre_authentication(PAYLOAD_TYPE, payload))),
    )
    assert refusal(sealed) == "bad_statement"


def test_another_type_is_refused_although_it_is_signed() -> None:
    payload = base64.b64decode(SIGNED.payload)
    sealed = KEY.sign(pre_authentication("text/plain", payload))
    signature = SIGNED.model_copy(update={"payload_type": "text/plain", "signature": encoded(sealed)})
    assert refusal(signature) == "payload_type"
    assert refusal(signature.model_copy(update={"payload_type": PAYLOAD_TYPE})) == "bad_signature"


@pytest.mark.parametrize("text", ["", "AAAA", "!" * 88, "A" * 86, encoded(bytes(63)), encoded(bytes(64)) + "\n"])
def test_a_stripped_or_broken_signature_is_refused(text: str) -> None:
    assert refusal(SIGNED.model_copy(update={"signature": text})) == "bad_base64"


def test_a_signature_of_zeros_is_refused() -> None:
    assert refusal(SIGNED.model_copy(update={"signature": encoded(bytes(64))})) == "bad_signature"


def test_a_second_spelling_of_the_signature_is_refused() -> None:
    text = SIGNED.signature
    last = text[-3]
    other = chr(ord(last) + 1)
    spelled = f"{text[:-3]}{other}=="
    assert base64.b64decode(spelled) == base64.b64decode(text) or spelled != text
    assert refusal(SIGNED.model_copy(update={"signature": spelled})) in {"bad_base64", "bad_signature"}


def test_a_giant_payload_is_refused_before_it_is_read() -> None:
    assert refusal(SIGNED.model_copy(update={"payload": "A" * 10**6})) == "too_long"


def test_a_revoked_key_never_counts() -> None:
    assert refusal(SIGNED, PUBLIC.model_copy(update={"revoked_at": NOW})) == "revoked_key"


def test_an_expired_key_counts_for_what_was_signed_before() -> None:
    key = PUBLIC.model_copy(update={"expires_at": NOW})
    assert refusal(SIGNED, key, at=NOW) == "expired_key"
    assert verify(SIGNED, [key], at=NOW - timedelta(days=1)) == STATEMENT


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_key_is_written_for_its_owner_alone_and_read_again(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "keys" / "release.pem"
    write_private_key(path, KEY, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert public_key(read_private_key(path, passphrase)).key_id == PUBLIC.key_id


def file_refusal(path: Path, passphrase: str | None = None) -> str:
    with pytest.raises(KeyFileError) as caught:
        read_private_key(path, passphrase)
    return caught.value.code


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    write_private_key(path, KEY)
    with pytest.raises(KeyFileError) as caught:
        write_private_key(path, new_key())
    assert caught.value.code == "key_exists"
    assert public_key(read_private_key(path)).key_id == PUBLIC.key_id


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    write_private_key(path, KEY)
    path.chmod(0o640)
    assert file_refusal(path) == "open_key"


def test_a_passphrase_that_is_wrong_or_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    write_private_key(path, KEY, "correct horse")
    assert file_refusal(path) == "passphrase"
    assert file_refusal(path, "battery") == "bad_key"


def test_what_is_no_key_is_told(tmp_path: Path) -> None:
    assert file_refusal(tmp_path / "absent.pem") == "no_key"
    path = tmp_path / "key.pem"
    path.write_text("not a key")
    path.chmod(0o600)
    assert file_refusal(path) == "bad_key"


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path.chmod(0o600)
    assert file_refusal(path) == "wrong_algorithm"
