"""The base of every contract model: what it forbids, what it keeps, how its fields are spelled on the wire."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, hexadecimal, lower case."""

NUMBER = re.compile(r"[-+]?[\d_]*\.?\d*([eE][-+]?\d+)?")


def refuse_number(value: Any) -> Any:
    """Let a time pass, or an empty text, but no bare number: nobody can tell what it counts, and since when.

    :raises ValueError: it is a number
    """
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, int | float) or (text and NUMBER.fullmatch(text)):
        raise ValueError("write a time as 2026-03-01T12:00:00Z, not as a number")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(refuse_number)]
"""A point in time with its offset; ISO 8601 on the wire. A naive time is refused, never guessed."""


class Model(BaseModel):
    """An immutable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenModel(BaseModel):
    """An immutable value in OpenLineage's spelling (camelCase); unknown fields are kept as they came."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)
