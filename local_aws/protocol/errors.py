"""AWS's errors on the wire, in the shape that each protocol gives them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from festaf.local_aws.protocol.message import Answer, Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

Dialect = Literal["json", "rest-json", "query", "rest-xml"]


def request_id() -> str:
    """Make up the id that AWS gives every request."""
    return str(uuid.uuid4())


def error(dialect: Dialect, code: str, message: str, status: int, details: Mapping[str, Any] | None = None) -> Answer:
    """Write an error as AWS does in this protocol.

    :param details: more members of the error's shape, for the JSON protocols
    """
    number = request_id()
    if dialect in ("json", "rest-json"):
        return _json(dialect, code, {"Message": message, **(details or {})}, status, number)
    if dialect == "rest-xml":
        body = f"<Error>{_xml(code, message)}<RequestId>{number}</RequestId></Error>"
    else:
        body = f"<ErrorResponse><Error>{_xml(code, message)}</Error><RequestId>{number}</RequestId></ErrorResponse>"
    headers: Headers = [(b"content-type", b"text/xml"), (b"x-amzn-requestid", number.encode())]
    return Answer(status, headers, b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode())


def unknown(operation: str, dialect: Dialect) -> Answer:
    """Refuse an operation that nobody here answers; clients do not try it again."""
    message = f"The local AWS does not answer {operation}, and neither does moto"
    if dialect == "rest-xml":
        return error(dialect, "NotImplemented", message, 501)
    return error(dialect, "InvalidAction" if dialect == "query" else "UnknownOperationException", message, 400)


def throttled(dialect: Dialect) -> Answer:
    """Refuse a call as beyond the rate, as the services of each protocol do."""
    if dialect == "rest-xml":
        return error(dialect, "SlowDown", "Please reduce your request rate.", 503)
    return error(dialect, "Throttling" if dialect == "query" else "ThrottlingException", "Rate exceeded", 400)


def _json(dialect: Dialect, code: str, content: dict[str, Any], status: int, number: str) -> Answer:
    headers: Headers = [(b"x-amzn-requestid", number.encode())]
    if dialect == "json":
        content = {"__type": code, **content}
        headers.append((b"content-type", b"application/x-amz-json-1.1"))
    else:
        headers += [(b"content-type", b"application/json"), (b"x-amzn-errortype", code.encode("latin-1", "replace"))]
    return Answer(status, headers, json.dumps(content).encode())


def _xml(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
