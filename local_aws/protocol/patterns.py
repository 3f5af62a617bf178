"""The patterns of AWS's models as Python reads them."""

from __future__ import annotations

import re
from collections.abc import Callable

import regex

Matcher = Callable[[str], object]

_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def matcher(pattern: str) -> Matcher | None:
    """Give a function that says whether a whole text fits, or None when every text does."""
    if pattern in (".*", "(?s).*", "[\\s\\S]*"):
        return None
    found: Matcher = regex.compile(_SURROGATES.sub(_one_character, pattern).replace(r"\z", r"\Z")).fullmatch
    return found


def _one_character(found: re.Match[str]) -> str:
    """Write Java's pair of surrogates as the one character that it means."""
    high, low = int(found[1], 16), int(found[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"
