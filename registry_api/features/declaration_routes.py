"""``PUT`` and ``DELETE`` on features and feature sets: declarations by a call instead of by a task."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from festaf.contract.declaration import Declared, FeatureSaid, FeatureSetSaid
from festaf.registry_api.edge import Now, Writer, Writing
from festaf.registry_api.features.declaring import Condition, DeclarationService

router = APIRouter()
Name = Annotated[str, Path(max_length=64)]


def condition_of(
    if_match: Annotated[str | None, Header(description="Only if this is the entity tag of what is in force")] = None,
    if_none_match: Annotated[str | None, Header(description="'*': only if nothing is in force")] = None,
) -> Condition:
    """Read the headers that make a write conditional."""
    return Condition(if_match, if_none_match)


def declaring(project: Name, caller: Writer, session: Writing, now: Now) -> DeclarationService:
    """Take declarations of a caller who may write in the project."""
    caller.require_write(project)
    return DeclarationService(session, now, caller.name)


TheCondition = Annotated[Condition, Depends(condition_of)]
Declaring = Annotated[DeclarationService, Depends(declaring, scope="function")]


@router.put("/features/{project}/{feature_set}/{feature}", summary="Declare a feature")
def put_feature(
    project: Name,
    feature_set: Name,
    feature: Name,
    said: FeatureSaid,
    service: Declaring,
    condition: TheCondition,
    response: Response,
) -> Declared:
    """Declare a feature as a whole; the same declaration again changes nothing."""
    return _tagged(service.declare(project, feature_set, feature, said, condition), response)


@router.delete("/features/{project}/{feature_set}/{feature}", summary="Retire a feature")
def delete_feature(
    project: Name,
    feature_set: Name,
    feature: Name,
    service: Declaring,
    condition: TheCondition,
    response: Response,
) -> Declared:
    """Retire a feature; a later declaration or write brings it back."""
    return _tagged(service.retire(project, feature_set, feature, condition), response)


@router.put("/feature-sets/{project}/{feature_set}", summary="Declare a feature set")
def put_feature_set(
    project: Name,
    feature_set: Name,
    said: FeatureSetSaid,
    service: Declaring,
    condition: TheCondition,
    response: Response,
) -> Declared:
    """Declare owner, description, purpose and freshness of a feature set."""
    return _tagged(service.describe(project, feature_set, said, condition), response)


@router.delete("/feature-sets/{project}/{feature_set}", summary="Retire a feature set")
def delete_feature_set(
    project: Name,
    feature_set: Name,
    service: Declaring,
    condition: TheCondition,
    response: Response,
) -> Declared:
    """Retire a feature set with its features; what is declared or written later comes back."""
    return _tagged(service.retire_set(project, feature_set, condition), response)


def _tagged(declared: Declared, response: Response) -> Declared:
    if declared.version_sha256:
        response.headers["ETag"] = f'"{declared.version_sha256}"'
    return declared
