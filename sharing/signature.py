"""Sign what a package is, and verify it: Ed25519 in an envelope of the kind DSSE.

Signed are the bytes of the statement as they stand in the envelope, with the type before them, never a JSON that was
read and written again. There is one algorithm, so none can be chosen by whoever forges. A key is known by its hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from festaf.contract.dag_package import PublisherKey, Signature, SignedStatement
from festaf.sharing import limits, strict_json
from festaf.sharing.errors import KeyFileError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

PAYLOAD_TYPE: Final = "application/vnd.festaf.dag-package+json"
KEY_ID_LENGTH: Final = 32
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
OTHERS_MAY: Final = 0o077


def new_key() -> Ed25519PrivateKey:
    """Make a key."""
    return Ed25519PrivateKey.generate()


def public_key(private_key: Ed25519PrivateKey, comment: str = "") -> PublisherKey:
    """Give the public half of a key, as the registry keeps it."""
    raw = private_key.public_key().public_bytes_raw()
    return PublisherKey(key_id=key_id(raw), public_key=base64.b64encode(raw).decode(), comment=comment)


def key_id(raw: bytes) -> str:
    """Give the id of a raw public key: the first half of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:KEY_ID_LENGTH]


def raw_public_key(key: PublisherKey) -> bytes:
    """Give the 32 bytes of a public key.

    :raises SignatureError: it is none, or another than its id says
    """
    raw = _decoded(key.public_key, KEY_BYTES, "The public key")
    if key_id(raw) != key.key_id:
        raise SignatureError("wrong_key_id", f"The public key is not the one of the id {key.key_id[:KEY_ID_LENGTH]!r}")
    return raw


def sign(statement: SignedStatement, private_key: Ed25519PrivateKey) -> Signature:
    """Sign a statement."""
    payload = strict_json.dumps(statement.model_dump(mode="json"))
    return Signature(
        payload_type=PAYLOAD_TYPE,
        payload=base64.b64encode(payload).decode(),
        key_id=public_key(private_key).key_id,
        signature=base64.b64encode(private_key.sign(pre_authentication(PAYLOAD_TYPE, payload))).decode(),
    )


def verify(signature: Signature, public_keys: Iterable[PublisherKey], *, at: datetime | None = None) -> SignedStatement:
    """Give what a signature says, when one of the keys made it.

    :param public_keys: the keys that are trusted, and no others
    :param at: when the signature had to hold; a key that had expired then does not count. Without it, expiry is not
        looked at; a revoked key never counts
    :raises SignatureError: it does not hold
    """
    if signature.payload_type != PAYLOAD_TYPE:
        raise SignatureError("payload_type", f"The signature is over {signature.payload_type[:80]!a}, not a package")
    key = next((known for known in public_keys if known.key_id == signature.key_id), None)
    if key is None:
        message = f"The signature is by the key {signature.key_id[:KEY_ID_LENGTH]!a}, which is not one that is trusted"
        raise SignatureError("unknown_key", message)
    if key.revoked_at is not None:
        raise SignatureError("revoked_key", f"The key {key.key_id} was revoked on {key.revoked_at:%Y-%m-%d}")
    if at is not None and key.expires_at is not None and key.expires_at <= at:
        raise SignatureError("expired_key", f"The key {key.key_id} expired on {key.expires_at:%Y-%m-%d}")
    payload = _decoded(signature.payload, None, "The signed statement")
    sealed = _decoded(signature.signature, SIGNATURE_BYTES, "The signature")
    try:
        Ed25519PublicKey.from_public_bytes(raw_public_key(key)).verify(
            sealed, pre_authentication(PAYLOAD_TYPE, payload)
        )
    except InvalidSignature as error:
        message = f"The signature does not hold: what is signed is not what the key {key.key_id} signed"
        raise SignatureError("bad_signature", message) from error
    return _statement(payload)


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that are signed: type and payload, each after its length (DSSE's PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def write_private_key(path: Path, private_key: Ed25519PrivateKey, passphrase: str | None = None) -> None:
    """Write a new key to a file that only its owner may read; a file that is there is never overwritten.

    :raises KeyFileError: there is a file already
    """
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    content = private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileError("key_exists", f"{path} is there already; a key is never overwritten") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_private_key(path: Path, passphrase: str | None = None) -> Ed25519PrivateKey:
    """Read a key from its file.

    :raises KeyFileError: it is not there, others may read it, or it holds no Ed25519 key
    """
    try:
        if path.stat().st_mode & OTHERS_MAY:
            raise KeyFileError("open_key", f"Others may read {path}; make it yours alone: chmod 600 {path}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        message = f"There is no key in {path}; make one with 'festaf dag key create'"
        raise KeyFileError("no_key", message) from error
    except OSError as error:
        raise KeyFileError("unreadable_key", f"{path} cannot be read: {error.strerror}") from error
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except TypeError as error:
        wanted = "is not encrypted; give no passphrase" if passphrase else "is encrypted; give its passphrase"
        raise KeyFileError("passphrase", f"The key in {path} {wanted}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("bad_key", f"{path} holds no key in PEM, or the passphrase is wrong") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(
            "wrong_algorithm", f"The key in {path} is none of Ed25519; make one with 'festaf dag key create'"
        )
    return key


def _decoded(text: str, length: int | None, what: str) -> bytes:
    if len(text) > limits.TEXT_BYTES:
        raise SignatureError("too_long", f"{what} is too long")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("bad_base64", f"{what} is no base64") from error
    if base64.b64encode(raw).decode() != text or (length is not None and len(raw) != length):
        raise SignatureError("bad_base64", f"{what} is not {length or 'one'} bytes of base64 in its one spelling")
    return raw


def _statement(payload: bytes) -> SignedStatement:
    try:
        content = strict_json.loads(payload)
        statement = SignedStatement.model_validate(content)
    except (strict_json.StrictJsonError, ValidationError) as error:
        raise SignatureError("bad_statement", "What is signed is no statement about a package") from error
    if strict_json.dumps(statement.model_dump(mode="json")) != payload:
        raise SignatureError("bad_statement", "The signed statement is not written as festaf writes it")
    return statement
