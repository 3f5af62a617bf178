"""``/namespaces/{namespace}/datasets``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from festaf.contract import marquez
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.catalog.marking import MarkingRepository
from festaf.registry_api.catalog.read_repository import subject_of
from festaf.registry_api.catalog.service import CatalogService
from festaf.registry_api.catalog.tables import DatasetTable
from festaf.registry_api.edge import Answered, Now, Reader, Reading, View, Writer, Writing
from festaf.registry_api.errors import ForbiddenError, NotFoundError
from festaf.registry_api.marquez import shapes
from festaf.registry_api.marquez.names import MOST, EncodedName, EncodedTag, Offset, Part
from festaf.registry_api.marquez.namespace_routes import checked

router = APIRouter(tags=["marquez"], prefix="/namespaces/{namespace}/datasets")


@router.get("", response_model=marquez.Datasets, summary="List the datasets of a namespace")
async def get_datasets(
    namespace: EncodedName, answering: Answered, view: View, limit: Part = 100, offset: Offset = 0
) -> Response:
    """List the datasets of a namespace by name."""

    def read(session: Session) -> marquez.Datasets:
        catalog = CatalogService(session, answering.caller.sight, view)
        catalog.namespace(namespace)
        found, count = catalog.datasets(namespace, min(limit, MOST), offset)
        return marquez.Datasets(datasets=tuple(shapes.dataset(item) for item in found), total_count=count)

    return await answering.give(read)


@router.get("/{dataset}", response_model=marquez.Dataset, summary="Give a dataset")
async def get_dataset(namespace: EncodedName, dataset: EncodedName, answering: Answered, view: View) -> Response:
    """Give a dataset as its events accumulated."""

    def read(session: Session) -> marquez.Dataset:
        return _shown(CatalogService(session, answering.caller.sight, view), namespace, dataset)

    return await answering.give(read)


@router.delete("/{dataset}", summary="Hide a dataset")
def delete_dataset(
    namespace: EncodedName, dataset: EncodedName, caller: Writer, session: Writing, now: Now
) -> marquez.Dataset:
    """Hide a dataset until a later event speaks of it; what is known of it stays."""
    row = _written(caller, session, namespace, dataset)
    shown = _shown(CatalogService(session, caller.writes), namespace, dataset)
    MarkingRepository(session, now).remove(subject_of(row), row.last_seen)
    return shown


@router.get("/{dataset}/versions", response_model=marquez.DatasetVersions, summary="List the versions of a dataset")
async def get_versions(
    namespace: EncodedName,
    dataset: EncodedName,
    answering: Answered,
    view: View,
    limit: Part = 100,
    offset: Offset = 0,
) -> Response:
    """List what runs wrote of a dataset, the newest first: one version a run."""

    def read(session: Session) -> marquez.DatasetVersions:
        catalog = CatalogService(session, answering.caller.sight, view)
        row = catalog.dataset_row(namespace, dataset)
        tags = catalog.reads.tags([row.key])[row.key]
        found, count = catalog.dataset_versions(row, min(limit, MOST), offset)
        versions = tuple(shapes.dataset_version(row, version, run, tags) for version, run in found)
        return marquez.DatasetVersions(versions=versions, total_count=count)

    return await answering.give(read)


@router.get("/{dataset}/versions/{version}", summary="Give a version of a dataset")
def get_version(
    namespace: EncodedName, dataset: EncodedName, version: UUID, caller: Reader, session: Reading, view: View
) -> marquez.DatasetVersion:
    """Give what one run wrote of a dataset."""
    catalog = CatalogService(session, caller.sight, view)
    row = catalog.dataset_row(namespace, dataset)
    found, run = catalog.dataset_version(row, version)
    return shapes.dataset_version(row, found, run, catalog.reads.tags([row.key])[row.key])


@router.post("/{dataset}/tags/{tag}", summary="Tag a dataset")
def post_tag(
    namespace: EncodedName, dataset: EncodedName, tag: EncodedTag, caller: Writer, session: Writing, now: Now
) -> marquez.Dataset:
    """Let a dataset bear a tag."""
    return _tag(caller, session, now, namespace, dataset, tag)


@router.delete("/{dataset}/tags/{tag}", summary="Take a tag from a dataset")
def delete_tag(
    namespace: EncodedName, dataset: EncodedName, tag: EncodedTag, caller: Writer, session: Writing, now: Now
) -> marquez.Dataset:
    """Take away a tag that somebody gave a dataset; one that an event gave stays."""
    row = _written(caller, session, namespace, dataset)
    MarkingRepository(session, now).remove_tag(subject_of(row), "", tag)
    return _shown(CatalogService(session, caller.writes), namespace, dataset)


@router.post("/{dataset}/fields/{field}/tags/{tag}", summary="Tag a field")
def post_field_tag(
    namespace: EncodedName,
    dataset: EncodedName,
    field: EncodedName,
    tag: EncodedTag,
    caller: Writer,
    session: Writing,
    now: Now,
) -> marquez.Dataset:
    """Let a field of a dataset bear a tag."""
    return _tag(caller, session, now, namespace, dataset, tag, field)


@router.delete("/{dataset}/fields/{field}/tags/{tag}", summary="Take a tag from a field")
def delete_field_tag(
    namespace: EncodedName,
    dataset: EncodedName,
    field: EncodedName,
    tag: EncodedTag,
    caller: Writer,
    session: Writing,
    now: Now,
) -> marquez.Dataset:
    """Take away a tag that somebody gave a field; one that an event gave stays."""
    row = _written(caller, session, namespace, dataset)
    MarkingRepository(session, now).remove_tag(subject_of(row), checked(field), tag)
    return _shown(CatalogService(session, caller.writes), namespace, dataset)


def _shown(catalog: CatalogService, namespace: str, dataset: str) -> marquez.Dataset:
    return shapes.dataset(catalog.describe_datasets([catalog.dataset_row(namespace, dataset)])[0])


def _written(caller: Caller, session: Session, namespace: str, dataset: str) -> DatasetTable:
    row = CatalogService(session, caller.sight).dataset_row(namespace, dataset)
    if not caller.may_write_namespace(row.namespace):
        raise ForbiddenError(f"{caller.name!r} may not write in the namespace {row.namespace!r}")
    return row


def _tag(
    caller: Caller, session: Session, now: datetime, namespace: str, dataset: str, tag: str, field: str = ""
) -> marquez.Dataset:
    row = _written(caller, session, namespace, dataset)
    catalog = CatalogService(session, caller.writes)
    if field and checked(field) not in {column.name for column in catalog.describe_datasets([row])[0].columns}:
        raise NotFoundError(f"Field '{field}' not found.")
    MarkingRepository(session, now).add_tag(subject_of(row), field, checked(tag))
    return _shown(catalog, namespace, dataset)
