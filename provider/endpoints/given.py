"""What authors write: a dataclass of ours, or a mapping with its fields, as templates and JSON give it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = TypeVar("Kind")


def given(kind: type[Kind], value: Kind | Mapping[str, Any]) -> Kind:
    """Make it what it stands for.

    :raises InputError: a field is unknown or missing
    """
    if isinstance(value, kind):
        return value
    if not hasattr(value, "keys"):
        raise InputError(f"{value!r} is no {kind.__name__}: write {kind.__name__}(...) or a mapping with its fields")
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # Every kind is a dataclass.
    content: dict[str, Any] = dict(cast("Mapping[str, Any]", value))
    if unknown := sorted(set(content) - known):
        raise InputError(f"{kind.__name__} has no {unknown[0]!r}: its fields are {', '.join(sorted(known))}")
    try:
        return kind(**content)
    except TypeError as error:
        raise InputError(f"{dict(content)!r} is no {kind.__name__}: {error}") from error


def number(what: str, value: Any, kind: type[int] | type[float] = int) -> Any:
    """Read a number that may come from a template as text.

    :raises InputError: it is none
    """
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} is {value!r}: write a number") from error


def without_none(fields_given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was not said."""
    return {key: value for key, value in fields_given.items() if value is not None}
