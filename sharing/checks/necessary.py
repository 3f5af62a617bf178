"""The texts without which a regular expression finds nothing: looking for those first spares nearly every search.

They are read from Python's own parse of the expression, so that they hold for expressions of others, too. Where none
can be read, the empty text is given, which stands everywhere: the expression is always searched for.
"""

from __future__ import annotations

import re
from re import _constants as kinds  # type: ignore[attr-defined]  # There is no public way to a parsed expression.
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ALIKE: Final = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))
"""Letters outside of ASCII that Python takes for these when an expression ignores case."""
_MOST: Final = 40
"""Texts of one expression; more are no faster to look for than the expression."""


def folded(text: str) -> str:
    """Give a text as it is searched for what is necessary."""
    if not text.isascii():
        for letter, plain in _ALIKE:
            text = text.replace(letter, plain)
    return text.lower()


def necessary(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Give texts of which at least one stands, folded, in all that a pattern finds."""
    found = _of_sequence(parser.parse(pattern.pattern, pattern.flags))
    return found if len(found) <= _MOST else ("",)


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> tuple[str, ...]:
    """Give the best of what the parts of a sequence need: each of them is enough."""
    return max((("",), *_choices(items)), key=_worth)


def _worth(texts: tuple[str, ...]) -> tuple[int, int]:
    return min(map(len, texts), default=0), -len(texts)


def _choices(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, ...]]:
    run = ""
    for kind, value in items:
        if kind is kinds.LITERAL and value < 128:
            run += chr(value).lower()
            continue
        yield (run,)
        run = ""
        if kind is kinds.SUBPATTERN:
            yield _of_sequence(value[-1])
        elif kind is kinds.BRANCH:
            branches = [_of_sequence(branch) for branch in value[1]]
            yield tuple(sorted({text for branch in branches for text in branch}))
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT) and value[0] > 0:
            yield _of_sequence(value[2])
        elif kind is kinds.ATOMIC_GROUP:
            yield _of_sequence(value)
    yield (run,)
