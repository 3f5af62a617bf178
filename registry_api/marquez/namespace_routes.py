"""``/namespaces``, ``/sources`` and ``/tags``."""

from __future__ import annotations

from fastapi import APIRouter

from festaf.contract import marquez
from festaf.registry_api.catalog.marking import MarkingRepository
from festaf.registry_api.catalog.read_repository import CatalogReads
from festaf.registry_api.catalog.service import CatalogService
from festaf.registry_api.catalog.tables import LONGEST
from festaf.registry_api.edge import Now, Reader, Reading, Writer, Writing
from festaf.registry_api.errors import ForbiddenError, NotFoundError, UnreadableEventError
from festaf.registry_api.marquez import shapes
from festaf.registry_api.marquez.names import MOST, EncodedName, EncodedTag, NewName, Offset, Part
from festaf.registry_api.secrets.masking import mask

router = APIRouter(tags=["marquez"])


@router.get("/namespaces", summary="List namespaces")
def get_namespaces(caller: Reader, session: Reading, limit: Part = 100, offset: Offset = 0) -> marquez.Namespaces:
    """List namespaces of jobs and datasets by name."""
    rows = CatalogReads(session, caller.sight).list_namespaces(min(limit, MOST), offset)
    return marquez.Namespaces(namespaces=tuple(shapes.namespace(row) for row in rows))


@router.get("/namespaces/{namespace}", summary="Give a namespace")
def get_namespace(namespace: EncodedName, caller: Reader, session: Reading) -> marquez.Namespace:
    """Give a namespace."""
    return shapes.namespace(CatalogService(session, caller.sight).namespace(namespace))


@router.put("/namespaces/{namespace}", summary="Set owner and description of a namespace")
def put_namespace(
    namespace: NewName, note: marquez.NamespaceNote, caller: Writer, session: Writing, now: Now
) -> marquez.Namespace:
    """Make a namespace, or set its owner and description."""
    if not caller.may_write_namespace(namespace):
        raise ForbiddenError(f"{caller.name!r} may not write in the namespace {namespace!r}")
    MarkingRepository(session, now).note_namespace(namespace, mask(note.owner_name), mask(note.description))
    session.flush()
    return shapes.namespace(CatalogService(session, caller.writes).namespace(namespace))


@router.get("/sources", summary="List sources")
def get_sources(caller: Reader, session: Reading, limit: Part = 100, offset: Offset = 0) -> marquez.Sources:
    """List where datasets are kept, as their ``dataSource`` facets say."""
    rows = CatalogReads(session, caller.sight).list_sources(None, min(limit, MOST), offset)
    return marquez.Sources(sources=tuple(shapes.source(row) for row in rows))


@router.get("/sources/{source}", summary="Give a source")
def get_source(source: EncodedName, caller: Reader, session: Reading) -> marquez.Source:
    """Give a source."""
    rows = CatalogReads(session, caller.sight).list_sources(source, 1, 0)
    if not rows:
        raise NotFoundError(f"Source '{source}' not found.")
    return shapes.source(rows[0])


@router.get("/tags", summary="List tags")
def get_tags(caller: Reader, session: Reading, limit: Part = 100, offset: Offset = 0) -> marquez.Tags:
    """List tags by name."""
    rows = CatalogReads(session, caller.sight).list_tags(min(limit, MOST), offset)
    return marquez.Tags(tags=tuple(marquez.Tag(name=name, description=text) for name, text in rows))


@router.put("/tags/{tag}", summary="Make or describe a tag")
def put_tag(tag: EncodedTag, note: marquez.TagNote, caller: Writer, session: Writing, now: Now) -> marquez.Tag:
    """Make a tag, or set its description. Tags belong to no project, so it takes one who may write anywhere."""
    if not caller.writes.everything:
        raise ForbiddenError(f"{caller.name!r} may not describe tags, which belong to all projects")
    description = mask(note.description)
    MarkingRepository(session, now).describe_tag(checked(tag), description)
    return marquez.Tag(name=tag, description=description)


def checked(name: str) -> str:
    """Give the name of a tag or field back.

    :raises UnreadableEventError: it is empty or too long
    """
    if not 0 < len(name) <= LONGEST:
        raise UnreadableEventError(f"the name of a tag or field has 1 to {LONGEST} characters")
    return name
