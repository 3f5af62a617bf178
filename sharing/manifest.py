"""The manifest as bytes, and what it may say of the files it stands beside.

The bytes leave out what has its default, so that a field which a later festaf adds does not change the manifests that
are there already. What the manifest says of the code is the author's word: the registry reads the code itself.
"""

from __future__ import annotations

import hashlib
import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from festaf.contract.dag_package import MANIFEST_PATH, Manifest, PackagedFile
from festaf.sharing import limits, strict_json
from festaf.sharing.errors import ArchiveError, NameRefusedError, SharingError
from festaf.sharing.names import check_name, check_namespace, check_version
from festaf.sharing.requirements import refused_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.contract.dag_inspection import DagInspection

IDENTIFIER: Final = re.compile(r"[\w.-]{1,250}")
"""Ids of DAGs and tasks, as Airflow allows them."""
TAG: Final = re.compile(r"[^\x00-\x1f\x7f<>]+")
PICTURES: Final = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PROBLEMS_TOLD = 3
_LONGEST_PLACE = 80


def manifest_bytes(manifest: Manifest) -> bytes:
    """Write a manifest in the one canonical way."""
    content = manifest.model_dump(mode="json", exclude_defaults=True)
    return strict_json.dumps({**content, "schema_version": manifest.schema_version})


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest that is written in the canonical way.

    :raises ArchiveError: it is not
    """
    if len(data) > limits.MANIFEST_BYTES:
        raise _refused("large_manifest", f"it is larger than {limits.MANIFEST_BYTES} bytes")
    try:
        content = strict_json.loads(data)
    except strict_json.StrictJsonError as error:
        raise _refused(error.code, error.message) from error
    if not isinstance(content, dict):
        raise _refused("bad_manifest", "it is no JSON object")
    if content.get("schema_version") != 1:
        raise _refused("schema_version", "it is of another schema than 1; a newer festaf may read it")
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise _refused("bad_manifest", _told(error)) from error
    if manifest_bytes(manifest) != data:
        raise _refused("manifest_spelling", "it is not written as festaf writes it (sorted keys, no defaults, ASCII)")
    return manifest


def list_files(files: Mapping[str, bytes]) -> tuple[PackagedFile, ...]:
    """List files as a manifest does: by path, each with its hash and size."""
    return tuple(
        PackagedFile(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for path, content in sorted(files.items())
    )


def refused_manifest(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[SharingError]:
    """Give every reason for which a manifest cannot stand beside these files."""
    for check, value in (
        (check_namespace, manifest.namespace),
        (check_name, manifest.name),
        (check_version, manifest.version),
    ):
        try:
            check(value)
        except NameRefusedError as error:
            yield error
    yield from _refused_listing(manifest, files)
    yield from refused_requirements(manifest.requires)
    yield from _refused_texts(manifest)
    yield from _refused_documents(manifest, files)
    yield from _refused_dags(manifest, files)


def _refused_listing(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[SharingError]:
    listed = {file.path: file for file in manifest.files}
    actual = {file.path: file for file in list_files(files)}
    for path in sorted(listed.keys() - actual.keys()):
        yield ArchiveError("missing_file", f"The manifest lists {path!r}, which is not in the archive", path)
    for path in sorted(actual.keys() - listed.keys()):
        yield ArchiveError("unlisted_file", f"The archive holds {path!r}, which the manifest does not list", path)
    for path in sorted(actual.keys() & listed.keys()):
        if actual[path] != listed[path]:
            yield ArchiveError("wrong_hash", f"{path!r} is not the file that the manifest lists by its hash", path)
    if len(listed) != len(manifest.files) or list(listed) != sorted(listed):
        yield _refused("file_order", "its files are not sorted, or one is there twice")


def _refused_texts(manifest: Manifest) -> Iterator[SharingError]:
    for tag in manifest.tags:
        if len(tag) > limits.TAG_LENGTH or not TAG.fullmatch(tag) or tag != tag.strip():
            yield _refused("bad_tag", f"the tag {tag[:80]!a} is longer than {limits.TAG_LENGTH}, or has < > or blanks")
    if len(set(manifest.tags)) != len(manifest.tags):
        yield _refused("tag_twice", "a tag is there twice")
    for owner in manifest.owners:
        if not 0 < len(owner) <= limits.OWNER_LENGTH or not owner.isprintable():
            yield _refused("bad_owner", f"the owner {owner[:80]!a} is empty, too long, or not printable")
    if len({parameter.name for parameter in manifest.parameters}) != len(manifest.parameters):
        yield _refused("parameter_twice", "a parameter is there twice")
    for place, text in _texts(manifest.model_dump(mode="json", exclude={"files"}), "manifest"):
        if len(text) > limits.TEXT_BYTES:
            yield _refused("long_text", f"{place} is longer than {limits.TEXT_BYTES} characters")
    if _INVISIBLE.search(manifest.summary):
        yield _refused("unseen_character", "its summary has invisible or direction-changing characters")


def _refused_documents(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[SharingError]:
    if manifest.readme is not None:
        if manifest.readme not in files or not manifest.readme.casefold().endswith(".md"):
            yield _refused("bad_readme", f"its readme {manifest.readme[:80]!r} is no Markdown file of the package")
        elif not _is_text(files[manifest.readme]):
            yield _refused("bad_readme", f"its readme {manifest.readme!r} is not UTF-8")
    for path in manifest.screenshots:
        suffix = f".{path.rsplit('.', 1)[-1].casefold()}"
        if suffix not in PICTURES or not files.get(path, b"").startswith(PICTURES[suffix]):
            yield _refused("bad_screenshot", f"the screenshot {path[:80]!r} is no PNG or JPEG file of the package")


def _refused_dags(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[SharingError]:
    if len(manifest.dags) > limits.DAGS or sum(len(dag.tasks) for dag in manifest.dags) > limits.TASKS:
        yield _refused("many_tasks", f"it has more than {limits.DAGS} DAGs or {limits.TASKS} tasks")
        return
    known: dict[str, str] = {}
    for dag in manifest.dags:
        if dag.file not in files:
            yield _refused("missing_file", f"it has a DAG of the file {dag.file[:80]!r}, which is not in the archive")
        if dag.dag_id is not None:
            if dag.dag_id in known:
                message = f"the DAG {dag.dag_id[:80]!r} is defined in {known[dag.dag_id]} and in {dag.file}; rename one"
                yield _refused("dag_id_twice", message)
            known[dag.dag_id] = dag.file
        yield from _refused_graph(dag)


def _refused_graph(dag: DagInspection) -> Iterator[SharingError]:
    name = ascii((dag.dag_id or "?")[:80])
    for identifier in (dag.dag_id or "unknown", *(task.task_id for task in dag.tasks)):
        if not IDENTIFIER.fullmatch(identifier):
            yield _refused("bad_id", f"{identifier[:80]!a} of the DAG {name} is no id that Airflow allows")
    graph = {task.task_id: set(task.downstream) for task in dag.tasks}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield _refused("cycle", f"the tasks of the DAG {name} wait for each other: {error.args[1][:3]!a}")


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"a key of {place}", key
            yield from _texts(item, place if len(place) > _LONGEST_PLACE else f"{place}.{key[:_LONGEST_PLACE]}")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, place)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _told(error: ValidationError) -> str:
    """Tell the first faults of a manifest, without what it holds."""
    faults = [
        f"{'.'.join(str(part)[:40] for part in fault['loc'][:5])}: {fault['msg'][:200]}"
        for fault in error.errors(include_url=False, include_input=False)[:_PROBLEMS_TOLD]
    ]
    more = error.error_count() - len(faults)
    return "; ".join(faults) + (f"; and {more} more" if more else "")


def _refused(code: str, message: str) -> ArchiveError:
    return ArchiveError(code, f"The manifest is refused: {message}", MANIFEST_PATH)
