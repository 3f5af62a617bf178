"""Names of partitions' folders, as Hive writes and reads them."""

from __future__ import annotations

from urllib.parse import unquote

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The value of a partition key that is null."""

_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | {chr(code) for code in range(1, 32)}
"""What Hive's FileUtils writes as a percent sign and two digits."""


def escaped(text: str) -> str:
    """Write a key or a value for a folder's name."""
    return "".join(f"%{ord(letter):02X}" if letter in _ESCAPED else letter for letter in text)


def unescaped(text: str) -> str:
    """Read a key or a value out of a folder's name."""
    return unquote(text)
