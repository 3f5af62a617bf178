"""Names in paths and node ids as Marquez writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import unquote
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from festaf.contract.http import API
from festaf.registry_api.catalog.saying import Subject
from festaf.registry_api.errors import UnreadableEventError

ENCODED = tuple(f"{API}/{part}/" for part in ("namespaces", "sources", "tags", "events"))
"""The paths in which a name may hold what parts a path, percent-encoded."""
NodeKind = Literal["dataset", "datasetField", "job", "run"]
LONGEST = 1_000
MAX_COLONS = 40
DEEPEST = 100
PARTS: dict[NodeKind, int] = {"dataset": 2, "job": 2, "datasetField": 3, "run": 1}
"""By kind, of how many parts a node's name is."""


class EncodedNames:
    """Route by the path as it was sent, so that a name may hold ``/`` as ``%2F``; the routes decode their names."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        raw = scope.get("raw_path") if scope["type"] == "http" else None
        if raw:
            path = raw.partition(b"?")[0].decode("latin-1")
            if path.startswith(ENCODED):
                scope = {**scope, "path": path}
        await self.app(scope, receive, send)


def _decode(text: str) -> str:
    """Decode a name; its bound counts characters, each of which is at most 12 when encoded.

    :raises ValueError: it is longer
    """
    name = unquote(text)
    if len(name) > LONGEST:
        raise ValueError(f"a name in a path has at most {LONGEST} characters")
    return name


NAME = Path(max_length=12 * LONGEST, json_schema_extra={"maxLength": LONGEST})
EncodedName = Annotated[str, NAME, AfterValidator(unquote)]
"""A name in one of the ``ENCODED`` paths; the paths with the most names still fit what a server reads of a request."""
NewName = Annotated[str, NAME, AfterValidator(_decode)]
"""A name that is made here."""
EncodedTag = Annotated[str, Path(max_length=3_060, json_schema_extra={"maxLength": 255}), AfterValidator(unquote)]
NodeIdText = Annotated[
    str,
    Query(
        alias="nodeId",
        max_length=5_000,
        description="dataset:NAMESPACE:NAME, datasetField:NAMESPACE:NAME:FIELD, job:NAMESPACE:NAME or run:UUID;"
        " '#' and a version's id may follow",
    ),
]
Depth = Annotated[
    int,
    Query(description="How many steps from the node; more than 100 are 100, less than 0 are 0"),
    AfterValidator(lambda depth: max(0, min(depth, DEEPEST))),
]
Part = Annotated[int, Query(ge=0, description="How many items at most; more than 1,000 are 1,000")]
Offset = Annotated[int, Query(ge=0, le=10**12, description="How many items to pass over")]
MOST = 1_000


@dataclass(frozen=True)
class NodeId:
    """A node id as far as it can be read without knowing names: a name may hold colons, too."""

    kind: NodeKind
    text: str
    version: UUID | None

    def readings(self) -> Iterator[tuple[str, ...]]:
        """Give every way to part the name, the likeliest first: no part begins with ``//`` or a port's digits."""
        colons = [index for index, letter in enumerate(self.text) if letter == ":"][:MAX_COLONS]
        likely = [index for index in colons if not _inside_uri(self.text, index)]
        seen: set[tuple[str, ...]] = set()
        for places in (likely, colons):
            for parts in _parted(self.text, places, PARTS[self.kind]):
                if parts not in seen and all(parts):
                    seen.add(parts)
                    yield parts

    def subjects(self) -> list[Subject]:
        """Give the jobs or datasets that may be meant, the likeliest first."""
        kind: Literal["job", "dataset"] = "job" if self.kind == "job" else "dataset"
        return list(dict.fromkeys(Subject(kind, parts[0], parts[1]) for parts in self.readings()))


def _inside_uri(text: str, index: int) -> bool:
    rest = text[index + 1 :]
    return rest.startswith("//") or rest[:1].isdigit()


def _parted(text: str, places: list[int], count: int) -> Iterator[tuple[str, ...]]:
    if count == 1:
        yield (text,)
        return
    for place in places:
        for rest in _parted(text[place + 1 :], [item - place - 1 for item in places if item > place], count - 1):
            yield (text[:place], *rest)


def read_node_id(text: str) -> NodeId:
    """Read a node id.

    :raises UnreadableEventError: it is none
    """
    prefix, _, name = text.partition(":")
    kind = next((known for known in PARTS if known == prefix), None)
    if kind is None or not name:
        raise UnreadableEventError(
            f"{text!r} is no node id: write dataset:NAMESPACE:NAME, datasetField:NAMESPACE:NAME:FIELD,"
            " job:NAMESPACE:NAME or run:UUID"
        )
    base, mark, version = name.rpartition("#")
    try:
        uuid = UUID(version) if mark else None
    except ValueError:
        uuid = None
    return NodeId(kind, base if uuid else name, uuid)


def node_id(kind: NodeKind, *parts: str) -> str:
    """Write a node id."""
    return ":".join((kind, *parts))
