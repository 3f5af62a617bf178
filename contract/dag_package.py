"""DAG packages: the manifest that stands in the archive, and what the registry says of packages and their versions.

A package is ``<namespace>/<name>``; the namespace is a project of the registry, with its owners and teams. A version is
immutable and known by the SHA-256 of its archive, the digest.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from festaf.contract.dag_inspection import ConnectionNeed, DagInspection, VariableNeed
from festaf.contract.model import Model, Moment, Sha256

MANIFEST_PATH = "festaf.json"
"""The manifest's path in the archive; it is the first entry."""
PACKAGE_FACET = "festaf_package"
"""The run facet that carries a RunningPackage under the key ``package``."""
NAME_PATTERN = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){0,62}[a-z0-9]")
"""Names of packages: ASCII, lower case, single dashes between letters and digits."""
BUNDLE_VERSION_PATTERN = re.compile(r"(?P<version>[0-9A-Za-z.+!_]+?)-(?P<digest>[0-9a-f]{32})")
"""What Airflow is given as the version of a bundle: the package's version and the first half of its digest."""

Maturity = Literal["experimental", "beta", "stable", "deprecated"]
VersionState = Literal["staged", "published", "yanked", "quarantined", "deleted"]


class PackagedFile(Model):
    """A file in the archive; ``size`` in bytes."""

    path: str
    sha256: Sha256
    size: int = Field(ge=0)


class SourceRepository(Model):
    """Where the files came from."""

    url: str | None = None
    commit: str | None = None
    path: str | None = None
    """Folder inside the repository."""
    dirty: bool = False
    """True when the files were not those of the commit."""


class Ancestor(Model):
    """The version that a fork was made from."""

    namespace: str
    name: str
    version: str
    digest: Sha256
    registry: str | None = None


class Requires(Model):
    """What the target must have, as PEP 440 and PEP 508 say it. Direct URLs are refused."""

    python: str | None = None
    airflow: str | None = None
    providers: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """Airflow plugins; bundles do not carry them."""
    system: tuple[str, ...] = ()


class Needs(Model):
    """What the target's administrator has to make; values never travel."""

    connections: tuple[ConnectionNeed, ...] = ()
    variables: tuple[VariableNeed, ...] = ()
    pools: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    executors: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()


class PackageParameter(Model):
    """A value that the author lets an importer choose; the DAG reads it by ``festaf.provider.parameters.parameter``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    description: str = ""
    json_schema: dict[str, Any] = Field(default_factory=dict)
    default: Any = None
    required: bool = False


class Finding(Model):
    """Something that a check saw; ``rule`` names it for machines, such as ``AIR301`` or ``secret``."""

    rule: str
    severity: Literal["error", "warning", "note"]
    message: str
    file: str | None = None
    line: int | None = None


class Manifest(Model):
    """The file ``festaf.json`` of an archive."""

    schema_version: Literal[1] = 1
    namespace: str
    name: str
    version: str
    """Canonical PEP 440."""
    summary: str = Field(default="", max_length=255)
    readme: str | None = None
    """Path of a Markdown file in the archive."""
    licence: str | None = None
    """SPDX expression."""
    maturity: Maturity = "experimental"
    tags: tuple[str, ...] = Field(default=(), max_length=50)
    owners: tuple[str, ...] = ()
    screenshots: tuple[str, ...] = ()
    """Paths of PNG and JPEG files in the archive."""
    source: SourceRepository | None = None
    ancestor: Ancestor | None = None
    files: tuple[PackagedFile, ...] = ()
    """Every file of the archive but the manifest, by path."""
    dags: tuple[DagInspection, ...] = ()
    requires: Requires = Requires()
    needs: Needs = Needs()
    parameters: tuple[PackageParameter, ...] = ()
    findings: tuple[Finding, ...] = ()


class Signature(Model):
    """A DSSE envelope (https://github.com/secure-systems-lab/dsse) with one Ed25519 signature over its own bytes."""

    payload_type: str
    payload: str
    """Base64 of the JSON of a ``SignedStatement``."""
    key_id: str
    signature: str
    """Base64 of 64 bytes."""


class SignedStatement(Model):
    """What a signature says."""

    registry_names: Literal[1] = 1
    namespace: str
    name: str
    version: str
    digest: Sha256
    """SHA-256 of the archive."""
    size: int


class PublisherKey(Model):
    """A key that may sign for a namespace."""

    key_id: str
    """First 32 hex digits of the SHA-256 of the raw public key."""
    public_key: str
    """Base64 of the 32 raw bytes."""
    comment: str = ""
    added_at: Moment | None = None
    added_by: str | None = None
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class Approval(Model):
    """One who looked at a digest and agreed."""

    by: str
    at: Moment
    digest: Sha256
    comment: str = ""


class PackageVersion(Model):
    """One version as the registry answers it."""

    namespace: str
    name: str
    version: str
    state: VersionState
    digest: Sha256
    size: int
    uploaded_at: Moment
    uploaded_by: str
    published_at: Moment | None = None
    reason: str | None = None
    """Why it is yanked or quarantined."""
    cooling_until: Moment | None = None
    """Until when importers refuse it unless they say otherwise; None when it is approved or old enough."""
    approvals: tuple[Approval, ...] = ()
    approvals_needed: int = 0
    manifest: Manifest
    findings: tuple[Finding, ...] = ()
    """What the registry itself saw in the files, besides what the manifest says."""
    signatures: tuple[Signature, ...] = ()
    downloads: int = 0
    origin: str | None = None
    """The registry that it was mirrored from."""


class VersionSummary(Model):
    """A version in a list; ``reason`` says why it is yanked or quarantined."""

    version: str
    state: VersionState
    digest: Sha256
    published_at: Moment | None = None
    cooling_until: Moment | None = None
    reason: str | None = None
    downloads: int = 0


class Package(Model):
    """A package with its versions, the newest first."""

    namespace: str
    name: str
    summary: str = ""
    latest: str | None = None
    """The newest published version that is no pre-release, or the newest of any kind when there is none."""
    versions: tuple[VersionSummary, ...] = ()
    owners: tuple[str, ...] = ()
    forked_from: Ancestor | None = None
    forks: tuple[Ancestor, ...] = ()
    downloads: int = 0


class PackageSummary(Model):
    """A package in a list or a search."""

    namespace: str
    name: str
    summary: str = ""
    latest: str | None = None
    maturity: Maturity | None = None
    tags: tuple[str, ...] = ()
    dag_ids: tuple[str, ...] = ()
    airflow: str | None = None
    downloads: int = 0
    published_at: Moment | None = None


class NamespaceSettings(Model):
    """The rules of a namespace."""

    approvals: int = Field(default=0, ge=0, le=10)
    """How many others must approve a version before it can be published."""
    cooldown_hours: int = Field(default=0, ge=0, le=8760)
    signatures_required: bool = False
    max_packages: int = Field(default=1000, ge=0)
    max_bytes: int = Field(default=10 * 2**30, ge=0)


class PackageChange(Model):
    """Something that importers have to know of a version, in the order of ``sequence``."""

    sequence: int
    namespace: str
    name: str
    version: str
    state: VersionState
    digest: Sha256


class PackageChanges(Model):
    """The changes after a sequence number; ``sequence`` is the newest that the caller has seen with this answer."""

    sequence: int
    changes: tuple[PackageChange, ...] = ()
    more: bool = False


class TaskChange(Model):
    """A task that is there before or after only, or differs."""

    dag_id: str
    task_id: str
    change: Literal["added", "removed", "changed"]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class ValueChange(Model):
    """A value of a DAG, of what the package needs, or of the manifest."""

    field: str
    dag_id: str | None = None
    before: Any = None
    after: Any = None


class FileChange(Model):
    """A file that differs; ``diff`` is a unified diff of text, absent for what is no text or too long."""

    path: str
    change: Literal["added", "removed", "changed"]
    diff: str | None = None
    truncated: bool = False


class PackageDiff(Model):
    """What differs between two versions, or between a fork and its ancestor."""

    before: Ancestor
    after: Ancestor
    tasks: tuple[TaskChange, ...] = ()
    edges_added: tuple[tuple[str, str, str], ...] = ()
    """Triples of DAG id, task and task downstream of it."""
    edges_removed: tuple[tuple[str, str, str], ...] = ()
    values: tuple[ValueChange, ...] = ()
    needs: tuple[ValueChange, ...] = ()
    files: tuple[FileChange, ...] = ()


class RunningPackage(Model):
    """The run facet of a task whose DAG came in a package: which bytes ran.

    ``bundle_version`` of the facet ``festaf_task`` says the same of version and digest; a worker is told no more.
    """

    namespace: str
    name: str
    version: str
    digest_start: str = Field(pattern=r"^[0-9a-f]{32}$")
    """First half of the archive's SHA-256."""
