"""What a package and its versions may be called, when two names look alike, and what Airflow is told as the version.

A version is written in one way only (PEP 440, canonical), without epoch and local part: the first would let ``1!0``
outrank every other version for ever, the second says that something is not what was published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from festaf.contract.dag_package import BUNDLE_VERSION_PATTERN, NAME_PATTERN
from festaf.sharing import limits
from festaf.sharing.errors import NameRefusedError
from festaf.sharing.standard_library import STANDARD_LIBRARY

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS: Final = """
about account admin administrator airflow all anonymous api apache approve archive archives assets auth bundle bundles
changes default docs download downloads edit explore festaf files graph health help home importlib latest login logout
me mirror namespace namespaces new none null official package packages pip private public publish python readme registry
root search security settings signature staff static status support system test tests token tokens undefined user users
version versions webhook webhooks www yank
"""
RESERVED: Final = frozenset(_WORDS.split())
"""Words that a route, a page or a reader would take for something else."""
DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
"""Names that Windows keeps for devices, with any extension."""
SHORTEST_ALIKE: Final = 4
"""Shorter names differ in one character by their nature."""
DIGEST_LENGTH: Final = 64
BUNDLE_DIGEST_LENGTH: Final = 32

_VERSION_SHAPE = re.compile(
    r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,7}(?:(?:a|b|rc)[0-9]{1,9})?(?:\.post[0-9]{1,9})?(?:\.dev[0-9]{1,9})?"
)
_DIGEST_SHAPE = re.compile(r"[0-9a-f]{64}")
_SHOWN = 80


@dataclass(frozen=True)
class BundleVersion:
    """What a version string of Airflow says: the package's version and the first half of its digest."""

    version: str
    digest_start: str

    def __str__(self) -> str:
        return f"{self.version}-{self.digest_start}"


def check_name(name: str, what: str = "package name") -> str:
    """Give a package's name or a namespace, or raise when it cannot be one.

    :raises NameRefusedError: it is not lower-case ASCII, or means something else already
    """
    if not NAME_PATTERN.fullmatch(name):
        raise NameRefusedError("bad_name", f"The {what} {_shown(name)} cannot be: {_why_bad(name)}")
    if name in DEVICES:
        raise NameRefusedError("device_name", f"The {what} {name!r} is a device of Windows; choose another")
    if name in RESERVED or name.replace("-", "_") in STANDARD_LIBRARY:
        raise NameRefusedError("reserved_name", f"The {what} {name!r} is reserved; add a word to it")
    return name


def check_namespace(namespace: str) -> str:
    """Give a namespace, or raise when it cannot be one.

    A namespace is a project of the registry, and those were named before there were packages: only the shape counts.

    :raises NameRefusedError: it is not lower-case ASCII
    """
    if not NAME_PATTERN.fullmatch(namespace) or namespace in DEVICES:
        raise NameRefusedError("bad_namespace", f"The namespace {_shown(namespace)} cannot be: {_why_bad(namespace)}")
    return namespace


def check_version(version: str) -> str:
    """Give a version, or raise when it is not written in the one canonical way.

    :raises NameRefusedError: it is no public PEP 440 version without epoch, or is written otherwise
    """
    if len(version) > limits.VERSION_LENGTH:
        raise NameRefusedError("long_version", f"The version {_shown(version)} is longer than {limits.VERSION_LENGTH}")
    if not version.isascii():
        raise NameRefusedError("bad_version", f"The version {_shown(version)} has characters that are not ASCII")
    try:
        parsed = Version(version)
    except (InvalidVersion, ValueError) as error:
        message = f"The version {_shown(version)} is none of PEP 440; write it like 1.4.0"
        raise NameRefusedError("bad_version", message) from error
    if parsed.epoch:
        raise NameRefusedError("version_epoch", f"The version {version!r} has an epoch; leave '{parsed.epoch}!' away")
    if parsed.local:
        raise NameRefusedError(
            "version_local", f"The version {version!r} has a local part; leave '+{parsed.local}' away"
        )
    if str(parsed) != version:
        raise NameRefusedError("version_spelling", f"The version {_shown(version)} must be written as {str(parsed)!r}")
    if not _VERSION_SHAPE.fullmatch(version):
        raise NameRefusedError("bad_version", f"The version {version!r} has too many or too large numbers")
    return version


def version_identity(version: str) -> str:
    """Give the text that is the same for versions that count as one, such as ``1.0`` and ``1.0.0``."""
    return canonicalize_version(check_version(version), strip_trailing_zero=True)


def look_alike_key(name: str) -> str:
    """Give the text that is the same for names which people take for each other."""
    key = re.sub(r"[._\-]", "", name.lower())
    for seen, meant in (("rn", "m"), ("vv", "w"), ("l", "1"), ("i", "1"), ("o", "0")):
        key = key.replace(seen, meant)
    return key


def look_alike(name: str, others: Iterable[str]) -> str | None:
    """Give the first of the other names that this one could be taken for: one character apart at most, or None."""
    key = look_alike_key(name)
    for other in others:
        if other == name:
            continue
        known = look_alike_key(other)
        if key == known or (min(len(key), len(known)) >= SHORTEST_ALIKE and _one_apart(key, known)):
            return other
    return None


def bundle_version(version: str, digest: str) -> str:
    """Write the version that Airflow is given: it names the bytes, for it is all that a worker gets to know.

    :raises NameRefusedError: the version or the digest is none
    """
    if not _DIGEST_SHAPE.fullmatch(digest):
        raise NameRefusedError("bad_digest", f"{_shown(digest)} is no SHA-256 digest of 64 hexadecimal digits")
    return str(BundleVersion(check_version(version), digest[:BUNDLE_DIGEST_LENGTH]))


def parse_bundle_version(text: str) -> BundleVersion:
    """Read a version that Airflow gives; what it says is safe as the name of a folder.

    :raises NameRefusedError: it is no version that ``bundle_version`` writes
    """
    if len(text) > limits.VERSION_LENGTH + 1 + BUNDLE_DIGEST_LENGTH:
        raise NameRefusedError("bad_bundle_version", f"The bundle version {_shown(text)} is too long")
    match = BUNDLE_VERSION_PATTERN.fullmatch(text)
    if match is None:
        message = f"The bundle version {_shown(text)} is not <version>-<32 hexadecimal digits>"
        raise NameRefusedError("bad_bundle_version", message)
    return BundleVersion(check_version(match["version"]), match["digest"])


def _one_apart(first: str, second: str) -> bool:
    """Tell whether one edit (insert, delete, replace, swap of neighbours) makes one text the other."""
    if abs(len(first) - len(second)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if start is None:
        return True
    rest, other = first[start:], second[start:]
    swapped = len(rest) > 1 and len(other) > 1 and rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]


def _why_bad(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > limits.VERSION_LENGTH:
        return "it is longer than 64 characters"
    return (
        "use 2 to 64 lower-case ASCII letters, digits and single dashes, beginning with a letter, ending with none of "
        "the dashes"
    )


def _shown(text: str) -> str:
    """Show a text that a stranger wrote: escaped, and not longer than a line."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
