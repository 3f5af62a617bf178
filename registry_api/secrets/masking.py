"""Mask secrets: the same text always gives the same masked text, and a masked text stays as it is.

So the key by which an event is known, and the hash of a code, are those of the masked value, and do not depend on when
or how often it came.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from functools import lru_cache, partial
from threading import Lock
from typing import Any

from festaf.contract.secrets import MASKED
from festaf.registry_api.secrets.rule import Filter
from festaf.registry_api.secrets.rules import GLANCES, rules, secret_name, triggers
from festaf.registry_api.secrets.values import is_literal

SHORT = 256
"""Texts up to this length are remembered as they are, longer ones by their hash."""
REMEMBERED = 4_096
SHORTEST = 6
"""A text that is shorter holds no secret that can be told from a word."""


def mask(value: Any) -> Any:
    """Give a JSON value with every secret in it masked; what holds none is given back itself."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return _mask_dict(value)
    if isinstance(value, list):
        masked = [_mask_argument(*pair) for pair in zip([None, *value], value, strict=False)]
        return value if all(new is old or new == old for new, old in zip(masked, value, strict=True)) else masked
    return value


def looks_clean(text: bytes) -> bool:
    """Tell at a glance whether nothing in a JSON text looks like a secret; of one that does, most hold none."""
    lowered = text.lower()
    near = [found for pair, found in triggers().items() if pair in lowered]
    hit = any(trigger in lowered for found in near for trigger in found)
    return not hit and not any(mark in lowered and shape.search(lowered) for mark, shape in GLANCES)


def mask_text(text: str) -> str:
    """Give a text with every secret in it masked."""
    if len(text) < SHORTEST:
        return text
    return _mask_short(text) if len(text) <= SHORT else _long.mask(text)


def _mask_dict(value: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, item in value.items():
        shown, secret = _known_key(key)
        if isinstance(item, str):
            masked = MASKED if secret and is_literal(item) else mask_text(item)
            changed = masked != item
        elif isinstance(item, (dict, list)):
            words = isinstance(item, list) and key.lower().endswith("token")
            masked = _mask_secret(item) if secret and not words else mask(item)
            changed = masked is not item
        else:
            masked, changed = item, False
        if changed or shown != key:
            changes[key] = masked
    told = value.get("value")
    if isinstance(told, str) and is_literal(told):
        named = value.get("name", value.get("key"))
        if isinstance(named, str) and _known_key(named)[1]:
            changes["value"] = MASKED
    return {_known_key(key)[0]: changes.get(key, item) for key, item in value.items()} if changes else value


def _mask_secret(value: Any) -> Any:
    """Mask what stands under the name of a secret: a text, the texts of a list, the ``value`` of an object."""
    if isinstance(value, str):
        return MASKED if is_literal(value) else mask_text(value)
    found = mask(value)
    if isinstance(value, list):
        items = [_mask_secret(old) if isinstance(old, str) else new for old, new in zip(value, found, strict=True)]
        return found if items == found else items
    if isinstance(value, dict) and isinstance(value.get("value"), (str, list)):
        masked = _mask_secret(value["value"])
        return found if masked == found["value"] else {**found, "value": masked}
    return found


def _mask_argument(before: Any, value: Any) -> Any:
    """Mask an item of a list; after an item such as ``--password``, a text is a secret."""
    if isinstance(before, str) and isinstance(value, str) and before.startswith("--") and not value.startswith("-"):
        return _mask_secret(value) if _known_key(before)[1] else mask_text(value)
    return mask(value)


@lru_cache(maxsize=REMEMBERED)
def _known_key(key: str) -> tuple[str, bool]:
    """Give a key as it may be shown, and whether its value is a secret."""
    return mask_text(key), len(key) <= SHORT and secret_name().fullmatch(key) is not None


@lru_cache(maxsize=8 * REMEMBERED)
def _mask_short(text: str) -> str:
    return _search(text)


class _LongTexts:
    """Remembers what became of long texts, such as the source of a DAG file that every event of a task repeats."""

    def __init__(self) -> None:
        self.known: OrderedDict[bytes, str | None] = OrderedDict()
        self.lock = Lock()

    def mask(self, text: str) -> str:
        """Mask a text, once."""
        key = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        with self.lock:
            if key in self.known:
                self.known.move_to_end(key)
                return self.known[key] or text
        masked = _search(text)
        with self.lock:
            self.known[key] = None if masked is text else masked
            if len(self.known) > REMEMBERED:
                self.known.popitem(last=False)
        return masked


_long = _LongTexts()


def _search(text: str) -> str:
    lowered = text.lower()
    found = text
    for rule in rules():
        if any(trigger in lowered for trigger in rule.triggers):
            found = rule.pattern.sub(partial(_replacement, rule.literal), found)
    return text if found == text else found


def _replacement(literal: Filter | None, match: re.Match[str]) -> str:
    whole: str = match[0]
    groups = match.re.groupindex
    start, end = match.span("secret" if "secret" in groups else 0)
    secret = match.string[start:end]
    if MASKED in secret or (literal is not None and not literal(match, secret)):
        return whole
    return f"{match.string[match.start() : start]}{MASKED}{match.string[end : match.end()]}"
