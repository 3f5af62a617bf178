"""The base of every contract model: what it forbids, what it keeps, how its fields are spelled on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, hexadecimal, lower case."""

Moment = AwareDatetime
"""A point in time with its offset; ISO 8601 on the wire. A naive time is refused, never guessed."""


class Model(BaseModel):
    """An immutable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenModel(BaseModel):
    """An immutable value in OpenLineage's spelling (camelCase); unknown fields are kept as they came."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)
