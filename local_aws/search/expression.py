"""Search expressions: filters, nested filters and subexpressions, joined by And or Or."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from festaf.local_aws.search.properties import Scalar, values_of
from festaf.local_aws.service import ApiError

Record = Mapping[str, Any]
Test = Callable[[Record], bool]

MOST_CONDITIONS = 50
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def check_expression(expression: Mapping[str, Any], members: frozenset[str], *, contains: int | None) -> None:
    """Check an expression as a whole.

    :param members: what a record may have
    :param contains: how often Contains may stand in it; None: as often as one likes
    :raises ApiError: ValidationException
    """
    filters = list(_filters(expression))
    if not filters:
        raise invalid("A search expression needs at least one subexpression, filter, or nested filter.")
    if len(filters) > MOST_CONDITIONS:
        raise invalid(f"A search expression can have at most {MOST_CONDITIONS} conditions.")
    for one in filters:
        if one["Name"].partition(".")[0] not in members:
            raise invalid(f"Unknown property name: {one['Name']}")
        if "Value" not in one and one.get("Operator") not in ("Exists", "NotExists"):
            raise invalid(f"The filter of {one['Name']} needs a Value.")
    if contains is not None and sum(one.get("Operator") == "Contains" for one in filters) > contains:
        raise invalid(f"'CONTAINS' operator usage limit of {contains} exceeded.")


def test_of(expression: Mapping[str, Any]) -> Test:
    """Make the function that says whether a record satisfies an expression.

    :raises ApiError: ValidationException
    """
    tests = [
        *map(_filter, expression.get("Filters", ())),
        *map(_nested, expression.get("NestedFilters", ())),
        *map(test_of, expression.get("SubExpressions", ())),
    ]
    together = any if expression.get("Operator", "And") == "Or" else all
    return lambda record: together(test(record) for test in tests)


def _filters(expression: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield from nested["Filters"]
    for inner in expression.get("SubExpressions", ()):
        yield from _filters(inner)


def _filter(one: Mapping[str, Any]) -> Test:
    name, check = one["Name"], _check(one)
    return lambda record: check(values_of(record, name))


def _nested(nested: Mapping[str, Any]) -> Test:
    """Make the test that one and the same element of a list satisfies all filters."""
    outer = nested["NestedPropertyName"]
    checks = []
    for one in nested["Filters"]:
        name = one["Name"]
        checks.append((name.removeprefix(f"{outer}."), _check(one)))

    def test(record: Record) -> bool:
        elements = record.get(outer) or ()
        return any(all(check(values_of(element, name)) for name, check in checks) for element in elements)

    return test


def _check(one: Mapping[str, Any]) -> Callable[[list[Scalar]], bool]:
    kind, value = one.get("Operator", "Equals"), one.get("Value", "")
    match kind:
        case "Exists":
            return bool
        case "NotExists":
            return lambda found: not found
        case "Equals":
            return lambda found: any(_equal(item, value) for item in found)
        case "NotEquals":
            return lambda found: not any(_equal(item, value) for item in found)
        case "Contains":
            return lambda found: any(isinstance(item, str) and value in item for item in found)
        case "In":
            choices = [choice.strip() for choice in value.split(",")]
            return lambda found: any(_equal(item, choice) for item in found for choice in choices)
    compare = _ORDERED[kind]
    if _number(value) is None and _moment(value) is None:
        raise invalid(f"The operator {kind} is not supported for text properties: {one['Name']} {value}")

    def ordered(found: list[Scalar]) -> bool:
        return any(_ordered(compare, item, value) for item in found)

    return ordered


def _ordered(compare: Callable[[Any, Any], bool], item: Scalar, value: str) -> bool:
    if isinstance(item, datetime):
        moment = _moment(value)
        return moment is not None and compare(item, moment)
    known, wanted = _number(item), _number(value)
    return known is not None and wanted is not None and compare(known, wanted)


def _equal(item: Scalar, value: str) -> bool:
    if isinstance(item, bool):
        return value.lower() == str(item).lower()
    if isinstance(item, datetime):
        # AWS takes a time to the second.
        return item.replace(microsecond=0) == _moment(value)
    if isinstance(item, int | float):
        return _number(value) == float(item)
    return item == value


def _number(value: Scalar) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # What is no number raises.
    except (TypeError, ValueError):
        return None


def _moment(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def invalid(message: str) -> ApiError:
    """Make the error of a search that cannot be."""
    return ApiError("ValidationException", message)
