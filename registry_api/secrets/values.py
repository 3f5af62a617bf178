"""What tells a secret from a placeholder for one, from an expression, and from a word of a sentence."""

from __future__ import annotations

import re

_TYPES = "str string text varchar char bytes binary int integer bigint long float double number bool boolean uuid"
HARMLESS = frozenset(f"{_TYPES} object any optional required secretstr none null nil true false".split())
"""Values that say a type or that there is none."""
_WORDS = (
    "a an and are argument as at be by can flag for from has if in instead is it may must not of on option or "
    "parameter so that the then they this to value was when which will with you your"
)
_PROSE = frozenset(_WORDS.split())
"""Words that a sentence about ``--token`` goes on with."""
_PLACEHOLDER = re.compile(r"\$?\{.*\}|\{\{.*\}\}|\$\w+|%\(?\w*\)?s|<[^<>]*>|\?|:\w+|\*+|arn:.*", re.DOTALL)
"""``{x}``, ``${X}``, ``{{ x }}``, ``$X``, ``%s``, ``%(x)s``, ``<x>``, ``?``, ``:x``, ``***``, and names of AWS."""
_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_CURL = re.compile(r"curl\b[^\n;|]*\Z")


def is_literal(text: str) -> bool:
    """Tell whether a text is a value, not a placeholder for one, a type or nothing."""
    stripped = text.strip()
    return bool(stripped) and stripped.lower() not in HARMLESS and not _PLACEHOLDER.fullmatch(stripped)


def any_literal(_match: re.Match[str], secret: str) -> bool:
    """Take every value."""
    return is_literal(secret)


def with_digit(_match: re.Match[str], secret: str) -> bool:
    """Take a value with a digit: a word without may be of a sentence."""
    return is_literal(secret) and any(character.isdigit() for character in secret)


def no_vocabulary(match: re.Match[str], secret: str) -> bool:
    """Take a value, but not a list of tokens, which is mostly one of words."""
    return is_literal(secret) and not (match["listed"] and match["name"].lower() == "token")


def no_expression(match: re.Match[str], secret: str) -> bool:
    """Take a value; ``password=password`` and ``token=self.token`` are code, but not after ``?``, ``&`` or ``;``."""
    if not is_literal(secret):
        return False
    if match["before"] in {"?", "&", ";"}:
        return True
    return not (_EXPRESSION.fullmatch(secret) or match["name"].lower() in secret.lower())


def flag_value(match: re.Match[str], secret: str) -> bool:
    """Take a value; a text about ``--token`` goes on with a word, a usage line with the name of the value."""
    name, said = match["name"].lower(), secret.lower().rstrip(".,:)")
    told = said not in _PROSE and not said.startswith("-") and name not in said and said not in name
    return told and is_literal(secret)


def argument(match: re.Match[str], secret: str) -> bool:
    """Take what follows an option in a list, but not in the definition of the option."""
    before = match.string[max(0, match.start() - 40) : match.start()].rstrip("\"'\\").rstrip()
    return before[-1:] in {"[", ","} and flag_value(match, secret)


def after_curl(match: re.Match[str], secret: str) -> bool:
    """Take what follows ``-u`` of curl: to other commands it is a user and a group."""
    before = match.string[max(0, match.start() - 300) : match.start()].replace("\\\n", " ")
    return _CURL.search(before) is not None and is_literal(secret)
