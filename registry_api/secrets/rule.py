"""A rule: one shape that secrets have, and how it is told from what only looks like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Filter = Callable[["re.Match[str]", str], bool]


@dataclass(frozen=True)
class Rule:
    """A pattern whose group ``secret`` (or whole match) is masked.

    Every pattern takes time linear in the text: what a match begins to read it also consumes.
    """

    finds: str
    """What it finds, in words."""
    triggers: tuple[str, ...]
    """A text in which none of them stands, in lower case, is not searched."""
    pattern: re.Pattern[str]
    literal: Filter | None = None
    """Tells whether what was found is a value and not an expression or a placeholder."""
    masks: tuple[str, ...] = ()
    """Texts in which it masks what stands between ``«`` and ``»``."""
    leaves: tuple[str, ...] = ()
    """Texts that are much like those, and in which it masks nothing."""


def verbose(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Compile a pattern in which spaces, line breaks and comments say nothing."""
    return re.compile(pattern, re.VERBOSE | flags)
