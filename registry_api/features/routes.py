"""``/features``: the list, the one answer, and the graph around a feature."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from festaf.contract.feature import Feature, FeatureSummary
from festaf.contract.graph import Graph
from festaf.contract.http import Page
from festaf.registry_api.edge import AsOf, Limit, Reader, Reading
from festaf.registry_api.features.answer import FeatureAnswer
from festaf.registry_api.features.listing import FeatureFilter, list_features
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import feature_node
from festaf.registry_api.graph.walk import Direction, Walk

router = APIRouter(tags=["features"])
Name = Annotated[str, Path(max_length=64)]
Text = Annotated[str | None, Query(max_length=500)]


@router.get("/features", summary="List features")
def get_features(_: Reader, session: Reading, asked: Annotated[FeatureFilter, Query()]) -> Page[FeatureSummary]:
    """List features by project, feature set and name; deleted ones are listed and say so."""
    return list_features(session, asked)


@router.get("/features/{project}/{feature_set}/{feature}", summary="Tell where a feature comes from")
def get_feature(
    project: Name, feature_set: Name, feature: Name, _: Reader, session: Reading, as_of: AsOf = None
) -> Feature:
    """Tell who made a feature, when, how, why, by which run, from which sources, and who reads it."""
    return FeatureAnswer(session, as_of).give(project, feature_set, feature)


@router.get("/features/{project}/{feature_set}/{feature}/lineage", summary="Walk the graph around a feature")
def get_lineage(
    project: Name,
    feature_set: Name,
    feature: Name,
    _: Reader,
    session: Reading,
    direction: Direction = "both",
    depth: Annotated[int, Query(ge=1, le=50)] = 5,
    limit: Limit = 200,
    as_of: AsOf = None,
) -> Graph:
    """Walk from a feature to what it is made from and to what is made from it, within bounds."""
    FeatureAnswer(session, as_of).require(project, feature_set, feature)
    return Walk(FeatureGraph(session, as_of), feature_node(project, feature_set, feature), limit).go(direction, depth)
