"""Sign, approve, publish, yank, quarantine and delete a version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Response

from festaf.contract.dag_package import PackageVersion, Signature
from festaf.contract.dag_package_steps import ApproveRequest, PublishRequest, ReasonRequest
from festaf.registry_api.dag_packages.cleaning import forget_later
from festaf.registry_api.dag_packages.edge import TAGS, Blobs, Name, Project, Version
from festaf.registry_api.dag_packages.steps import VersionSteps
from festaf.registry_api.edge import Now, TheDatabase, Writer, Writing

router = APIRouter(prefix="/dag-packages/{project}/{name}/{version}", tags=TAGS)


def _steps(project: Project, name: Name, version: Version, caller: Writer, session: Writing, now: Now) -> VersionSteps:
    """Let one who may write in the namespace take a step."""
    caller.require_write(project)
    return VersionSteps(session, caller, now, (project, name, version))


def _guard(project: Project, name: Name, version: Version, caller: Writer, session: Writing, now: Now) -> VersionSteps:
    """Let one who administers the namespace take a step."""
    caller.require_project_admin(project)
    return VersionSteps(session, caller, now, (project, name, version))


Steps = Annotated[VersionSteps, Depends(_steps, scope="function")]
Guard = Annotated[VersionSteps, Depends(_guard, scope="function")]


@router.put("/signature", summary="Sign a version")
def put_signature(signature: Signature, steps: Steps) -> PackageVersion:
    """Keep a signature over the version's bytes by a key of the namespace."""
    return steps.sign(signature)


@router.post("/approve", summary="Approve a version")
def approve(asked: ApproveRequest, steps: Steps) -> PackageVersion:
    """Agree to the bytes of a version; whoever sent them cannot."""
    return steps.approve(asked.digest, asked.comment)


@router.post("/publish", summary="Publish a version")
def publish(asked: PublishRequest, steps: Steps) -> PackageVersion:
    """Let everybody who sees the namespace have a version, once its rules are met."""
    return steps.publish(asked.digest)


@router.post("/yank", summary="Yank a version")
def yank(asked: ReasonRequest, steps: Steps) -> PackageVersion:
    """Let nobody choose a version anew; who has chosen it keeps it."""
    return steps.yank(asked.reason)


@router.post("/unyank", summary="Take a yank back")
def unyank(steps: Steps) -> PackageVersion:
    """Let a version be chosen again."""
    return steps.unyank()


@router.post("/quarantine", summary="Quarantine a version")
def quarantine(asked: ReasonRequest, guard: Guard) -> PackageVersion:
    """Let nobody have a version, also those who have chosen it."""
    return guard.quarantine(asked.reason)


@router.post("/release", summary="Release a version from quarantine")
def release(guard: Guard) -> PackageVersion:
    """Let a version be again what it was."""
    return guard.release()


@router.delete("", status_code=204, response_class=Response, summary="Delete a version for good")
def delete(
    project: Project,
    name: Name,
    version: Version,
    caller: Writer,
    session: Writing,
    database: TheDatabase,
    blobs: Blobs,
    now: Now,
    background: BackgroundTasks,
) -> None:
    """Delete a version; its name and number are never free again. A published one only administrators delete."""
    caller.require_write(project)
    digest = VersionSteps(session, caller, now, (project, name, version), deleted=True).delete()
    background.add_task(forget_later, database, blobs, digest)
