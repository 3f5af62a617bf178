"""The content types that the default handlers read and write: CSV, JSON and numpy's own."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

CSV = "text/csv"
JSON = "application/json"
NPY = "application/x-npy"


class UnsupportedTypeError(Exception):
    """The model neither reads nor writes this content type: HTTP 415."""


def decode(body: bytes, content_type: str) -> Any:
    """Read a request into an array; CSV always gives rows and columns.

    :raises UnsupportedTypeError: another content type
    :raises ValueError: the body is not what its type says
    """
    import numpy as np

    kind = plain(content_type)
    if kind == CSV:
        rows = [row for row in csv.reader(io.StringIO(body.decode())) if row]
        return np.array([[float(value) if value.strip() else np.nan for value in row] for row in rows])
    if kind == JSON:
        return np.array(json.loads(body))
    if kind == NPY:
        return np.load(io.BytesIO(body), allow_pickle=False)
    raise UnsupportedTypeError(f"Content type {content_type} is not supported by this framework.")


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Write a prediction, and give its content type.

    :raises UnsupportedTypeError: another content type
    """
    import numpy as np

    for kind in map(plain, accept.split(",")):
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps(prediction, default=_plain_value).encode(), JSON
        if kind in (CSV, "text/*"):
            text = io.StringIO()
            np.savetxt(text, np.atleast_1d(np.asarray(prediction)), delimiter=",", fmt="%s")
            return text.getvalue().encode(), CSV
        if kind == NPY:
            content = io.BytesIO()
            np.save(content, np.asarray(prediction), allow_pickle=False)
            return content.getvalue(), NPY
    raise UnsupportedTypeError(f"Accept type {accept} is not supported by this framework.")


def plain(content_type: str) -> str:
    """Give a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def _plain_value(value: Any) -> Any:
    """Turn what numpy or pandas made into what JSON knows."""
    for convert in ("tolist", "to_list", "to_dict"):
        if hasattr(value, convert):
            return getattr(value, convert)()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON; write an output_fn")
