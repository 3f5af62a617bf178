"""Name what went wrong with S3: what passes is asked again later, what lasts says what to do about it.

obstore tells the kinds of failures apart only in its texts, so they are read here and nowhere else.
"""

from __future__ import annotations

import re

from festaf.registry_api.errors import (
    ServiceError,
    StoreAwayError,
    StoreBusyError,
    StoreDeniedError,
    StoreFaultError,
    StoreMissingError,
    StoreSlowError,
)

STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>([\w.]{1,80})</Code>")
CREDENTIALS = re.compile(r"/latest/api/token|/latest/meta-data|169\.254\.170\.|token file|AssumeRoleWithWebIdentity")
CERTIFICATE = re.compile(r"InvalidCertificate|invalid peer certificate|UnknownIssuer")
SLOW = re.compile(r"TimedOut|kind: Timeout|timed out")
DETAILS = "\n\nDebug source"
"""Before it obstore says what happened, after it with which values of its own."""
BUSY = frozenset({429, 503})
PASSING = frozenset({408, 409, 425})
KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidTokenId", "AuthorizationHeaderMalformed"})
EXPIRED = frozenset({"ExpiredToken", "TokenRefreshRequired", "InvalidToken"})
PERMISSIONS = "s3:ListBucket on it, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it"


def is_missing_bucket(error: Exception) -> bool:
    """Tell a bucket that is not there from an object that is not."""
    return _code(str(error)) == "NoSuchBucket"


def fault_of(error: Exception, bucket: str) -> ServiceError:
    """Name a failure."""
    text = str(error)
    code, found = _code(text), STATUS.search(text.partition(DETAILS)[0])
    status = int(found[1]) if found else 0
    if CREDENTIALS.search(text.partition(DETAILS)[0]):
        return StoreDeniedError(
            f"no credentials were found for the bucket {bucket!r}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "give the registry's machine, container or service account a role; profiles in ~/.aws are not read"
        )
    if code == "NoSuchBucket":
        return StoreMissingError(
            f"there is no bucket {bucket!r}: make it, or put another one into FESTAF_REGISTRY_BLOBS; for a server that "
            "is not AWS, set AWS_ENDPOINT_URL_S3"
        )
    if CERTIFICATE.search(text):
        return StoreFaultError(
            f"the server of the bucket {bucket!r} has a certificate that is not believed: name a file with that of its "
            "authority in AWS_CA_BUNDLE"
        )
    return _refusal(bucket, status, code, text) or _passing(bucket, status, code, text)


def _refusal(bucket: str, status: int, code: str, text: str) -> StoreFaultError | None:
    """Say what lasts until somebody does something about it."""
    if code == "RequestTimeTooSkewed":
        return StoreFaultError(f"the bucket {bucket!r} takes no request: the clock of the registry's machine is wrong")
    if code == "InvalidObjectState":
        return StoreFaultError(
            f"an archive in the bucket {bucket!r} was moved to Glacier: restore it there, and take the lifecycle rule "
            "that moves archives away"
        )
    if code in EXPIRED:
        return StoreDeniedError(f"the credentials for the bucket {bucket!r} are expired or invalid: renew them")
    if code in KEYS:
        return StoreDeniedError(
            f"the bucket {bucket!r} does not know the credentials ({code}): look at AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_REGION"
        )
    if status in {401, 403}:
        return StoreDeniedError(
            f"the bucket {bucket!r} denies access ({code or status}): the registry needs {PERMISSIONS}; with a KMS key "
            "also kms:GenerateDataKey and kms:Decrypt"
        )
    if "incorrectly configured region" in text or status in {301, 307}:
        return StoreFaultError(f"the bucket {bucket!r} is in another region: set AWS_REGION to the bucket's")
    if 400 <= status < 500 and status not in PASSING | BUSY:
        return StoreFaultError(f"the bucket {bucket!r} refuses the registry's requests: {code or status}")
    return None


def _passing(bucket: str, status: int, code: str, text: str) -> StoreAwayError:
    """Say what may pass."""
    if status in BUSY or code in {"SlowDown", "Throttling"}:
        return StoreBusyError(f"the bucket {bucket!r} asks for fewer requests; try again")
    if status:
        return StoreAwayError(f"the bucket {bucket!r} fails ({status} {code}".rstrip() + "); try again")
    if SLOW.search(text):
        return StoreSlowError(f"the bucket {bucket!r} did not answer in time; try again")
    return StoreAwayError(f"the bucket {bucket!r} cannot be reached, or cut the connection; try again")


def told(error: Exception) -> str:
    """Give what happened in the library's words, for the log."""
    return " ".join(str(error).partition(DETAILS)[0].split())[:600]


def _code(text: str) -> str:
    found = CODE.search(text)
    return found[1] if found else ""
