"""``/features``: the list, the one answer, its history, the graph around it, and what a change breaks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from festaf.contract.feature import Feature, FeatureSummary
from festaf.contract.graph import Direction, Graph
from festaf.contract.history import HistoryItem
from festaf.contract.http import Page
from festaf.contract.impact import Impact
from festaf.contract.model_features import EndpointFeatures, ModelFeatures
from festaf.registry_api.edge import Answered, Cursor, Limit, Now, Reader, Reading, View
from festaf.registry_api.features.answer import FeatureAnswer
from festaf.registry_api.features.declaration_routes import router as declarations
from festaf.registry_api.features.freshness import aged
from festaf.registry_api.features.history import FeatureHistory
from festaf.registry_api.features.impact import ImpactAnswer
from festaf.registry_api.features.listing import FeatureFilter, FeatureListing
from festaf.registry_api.features.model_features import ModelFeaturesAnswer
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import feature_node
from festaf.registry_api.graph.walk import Walk

router = APIRouter(tags=["features"])
router.include_router(declarations)
Name = Annotated[str, Path(max_length=64)]
ArtifactName = Annotated[str, Path(max_length=200)]
Depth = Annotated[int, Query(ge=1, le=50, description="How many steps at most")]


@router.get("/features", response_model=Page[FeatureSummary], summary="List features")
async def get_features(answering: Answered, asked: Annotated[FeatureFilter, Query()]) -> Response:
    """List features by project, feature set and name; deleted ones are listed and say so."""
    sight = answering.caller.sight
    return await answering.give(lambda session: FeatureListing(session, sight).page(asked))


@router.get(
    "/features/{project}/{feature_set}/{feature}", response_model=Feature, summary="Tell where a feature comes from"
)
async def get_feature(
    project: Name, feature_set: Name, feature: Name, answering: Answered, view: View, now: Now
) -> Response:
    """Tell who made a feature, when, how, why, by which run, from which sources, and who uses it."""
    sight = answering.caller.sight
    return await answering.give(
        lambda session: FeatureAnswer(session, view, now, sight).give(project, feature_set, feature),
        (lambda answer: aged(answer, now)) if view.now else None,
        follows=view.now,
    )


@router.get(
    "/features/{project}/{feature_set}/{feature}/history",
    response_model=Page[HistoryItem],
    summary="Tell the life of a feature",
)
async def get_history(
    project: Name,
    feature_set: Name,
    feature: Name,
    answering: Answered,
    view: View,
    now: Now,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Tell what changed between the versions of a feature, and when it was written, retired and made again."""
    sight = answering.caller.sight

    def read(session: Session) -> Page[HistoryItem]:
        row = FeatureAnswer(session, view, now, sight).require_row(project, feature_set, feature)
        return FeatureHistory(session, view, row, sight).page(cursor, limit)

    return await answering.give(read)


@router.get(
    "/features/{project}/{feature_set}/{feature}/impact", response_model=Impact, summary="Tell what a change breaks"
)
async def get_impact(
    project: Name,
    feature_set: Name,
    feature: Name,
    answering: Answered,
    view: View,
    now: Now,
    depth: Depth = 10,
    limit: Limit = 500,
) -> Response:
    """Give everything downstream of a feature, within bounds, and who is to be told."""
    sight = answering.caller.sight

    def read(session: Session) -> Impact:
        FeatureAnswer(session, view, now, sight).require_row(project, feature_set, feature)
        return ImpactAnswer(session, view, sight).give(project, feature_set, feature, depth=depth, limit=limit)

    return await answering.give(read, follows=view.now)


@router.get(
    "/features/{project}/{feature_set}/{feature}/lineage",
    response_model=Graph,
    summary="Walk the graph around a feature",
)
async def get_lineage(
    project: Name,
    feature_set: Name,
    feature: Name,
    answering: Answered,
    view: View,
    now: Now,
    direction: Direction = "both",
    depth: Depth = 5,
    limit: Limit = 200,
) -> Response:
    """Walk from a feature to what it is made from and to what is made from it, within bounds."""
    sight = answering.caller.sight

    def read(session: Session) -> Graph:
        FeatureAnswer(session, view, now, sight).require_row(project, feature_set, feature)
        ground = FeatureGraph(session, view)
        return Walk(ground, feature_node(project, feature_set, feature), limit, sight).go(direction, depth)

    return await answering.give(read, follows=view.now)


@router.get("/models/{project}/{model}/features", summary="Tell which runs made the values that a model saw")
def get_model_features(
    project: Name,
    model: ArtifactName,
    caller: Reader,
    session: Reading,
    view: View,
    now: Now,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The newest without")] = None,
) -> ModelFeatures:
    """Give the features that a version of a model uses, each with the production in force at the time."""
    return ModelFeaturesAnswer(session, view, now, caller.sight).model(project, model, version)


@router.get("/endpoints/{project}/{endpoint}/features", summary="Tell which runs made the values behind an endpoint")
def get_endpoint_features(
    project: Name, endpoint: ArtifactName, caller: Reader, session: Reading, view: View, now: Now
) -> EndpointFeatures:
    """Give the models that an endpoint served, each with its features and the productions in force at the time."""
    return ModelFeaturesAnswer(session, view, now, caller.sight).endpoint(project, endpoint)
