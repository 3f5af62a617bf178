"""The names of the operations that moto answers, for counting them and for striking them with faults."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from festaf.local_aws.protocol.errors import Dialect
    from festaf.local_aws.protocol.message import Request
    from festaf.local_aws.protocol.router import Scope

_HEAD = 4096
_S3_BUCKET = {"GET": "ListObjectsV2", "PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}
_S3_OBJECT = {"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}


ABSENCES = {
    "GetTable": ("EntityNotFoundException", "Entity Not Found", 400),
    "GetDatabase": ("EntityNotFoundException", "Entity Not Found", 400),
    "GetObject": ("NoSuchKey", "The specified key does not exist.", 404),
    "HeadObject": ("NoSuchKey", "The specified key does not exist.", 404),
    "HeadBucket": ("NoSuchBucket", "The specified bucket does not exist", 404),
    "GetRole": ("NoSuchEntity", "The role cannot be found.", 404),
}
"""What the operations of moto that read one thing say when it is not there: code, message and HTTP status."""


def foreign_name(request: Request, scope: Scope) -> tuple[str, Dialect]:
    """Give the operation's name and the protocol in which its errors are written."""
    if target := request.headers.get(b"x-amz-target"):
        return target.decode("latin-1").rpartition(".")[2], "json"
    if "/operation/" in request.path:
        return request.path.rpartition("/operation/")[2], "rest-json"
    if scope.service in (None, "s3"):
        return _s3(request), "rest-xml"
    action = parse_qs(request.query or request.body[:_HEAD].decode("latin-1")).get("Action")
    return (action[0] if action else f"{request.method} {request.path}"), "query"


def _s3(request: Request) -> str:
    bucket, _, key = request.path.strip("/").partition("/")
    if not bucket:
        return "ListBuckets"
    names = _S3_OBJECT if key else _S3_BUCKET
    return names.get(request.method, f"s3:{request.method}")
