"""Packages carried from one registry to another as one file: archives, signatures, and the keys that made them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from festaf.contract.dag_package import PublisherKey, Signature, VersionState
from festaf.contract.model import Model, Moment, Sha256

MIRROR_TYPE = "application/vnd.festaf.dag-mirror+zip"
MOST_MIRRORED = 20
"""How many versions one file may hold."""


class MirroredVersion(Model):
    """A version in a mirror file."""

    namespace: str
    name: str
    version: str
    digest: Sha256
    size: int = Field(ge=0)
    published_at: Moment | None = None
    signatures: tuple[Signature, ...] = ()
    keys: tuple[PublisherKey, ...] = ()
    """Those that made the signatures, as the origin knows them."""


class Mirror(Model):
    """What a mirror file says of what it holds."""

    festaf_mirror: Literal[1] = 1
    origin: str = Field(max_length=500)
    """The registry that it comes from, or the one that that one had it from."""
    exported_at: Moment
    versions: tuple[MirroredVersion, ...] = Field(min_length=1, max_length=MOST_MIRRORED)


class Imported(Model):
    """What became of a version of a mirror file; ``waiting`` says why it is not published."""

    namespace: str
    name: str
    version: str
    digest: Sha256
    state: VersionState
    new: bool
    waiting: tuple[str, ...] = ()


class ImportedMirror(Model):
    """What became of a mirror file."""

    origin: str
    items: tuple[Imported, ...]
