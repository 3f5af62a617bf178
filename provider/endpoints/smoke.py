"""A sample request and what its answer must be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from festaf.provider.endpoints.schema import check_schema, mismatches
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.provider.hooks.endpoint import Answer


@dataclass(frozen=True, kw_only=True)
class SmokeRequest:
    """A request that a good endpoint answers as expected; every expectation that is given must hold.

    :param payload: what is sent: text as it is, anything else as JSON, an ``s3://`` URI as that object's content
    :param content_type: its type; None is ``text/csv`` for text and ``application/json`` for the rest
    :param accept: the type that is asked for
    :param variant: the variant that is asked; None asks each one
    :param contains: text that the answer must contain
    :param schema: what the answer, read as JSON, must look like: type, enum, properties, required, items, minimum,
        maximum, minItems, maxItems, minLength, maxLength and pattern of JSON Schema
    :param check_with: import path of a function, ``package.module.function``, that is given the answer as text; it
        returns None or True when all is well, else False or a text that says what is wrong
    """

    payload: Any
    content_type: str | None = None
    accept: str | None = None
    variant: str | None = None
    contains: str | None = None
    schema: Mapping[str, Any] | None = None
    check_with: str | None = None

    def check(self) -> None:
        """Find what cannot be right before anything is asked.

        :raises InputError: the schema or the import path cannot be used
        """
        if self.schema is not None:
            check_schema(self.schema)
        if self.check_with is not None:
            self._function()

    def wrong(self, answer: Answer) -> str | None:
        """Tell what is wrong with an answer; None when it is as expected."""
        try:
            text = answer.body.decode()
        except UnicodeDecodeError:
            text = answer.body.decode("latin-1")
        return self._wrong_text(text) or self._wrong_json(text) or self._wrong_by_function(text)

    def _wrong_text(self, text: str) -> str | None:
        if self.contains is None or self.contains in text:
            return None
        return f"the answer does not contain {self.contains!r}: {_short(text)}"

    def _wrong_json(self, text: str) -> str | None:
        if self.schema is None:
            return None
        try:
            value = json.loads(text)
        except ValueError:
            return f"the answer is no JSON: {_short(text)}"
        found = list(mismatches(value, self.schema))
        return "; ".join(found[:3]) or None

    def _wrong_by_function(self, text: str) -> str | None:
        if self.check_with is None:
            return None
        try:
            said = self._function()(text)
        except AssertionError as error:
            said = str(error) or False
        if said is None or said is True:
            return None
        return said if isinstance(said, str) else f"{self.check_with} does not hold of the answer {_short(text)}"

    def _function(self) -> Callable[[str], Any]:
        path = str(self.check_with)
        module, _, name = path.replace(":", ".").rpartition(".")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise InputError(f"check_with {path!r} cannot be imported: {error}") from error
        if not callable(found):
            raise InputError(f"check_with {path!r} is no function")
        function: Callable[[str], Any] = found
        return function


def _short(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:197] + "...")
