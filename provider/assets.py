"""Artifacts as Airflow assets, and the one place where a task attaches what it did to its asset events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from festaf.contract.names import DEFAULT_PROJECT, artifact_uri, definition_uri, feature_set_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from pydantic import JsonValue

    from festaf.contract.feature_set import FeatureSetDefinition, FeatureWrite
    from festaf.contract.model import Model
    from festaf.contract.names import ArtifactKind

ALIAS = "festaf"
"""The asset alias through which a task names at run time what it wrote."""

GROUP = "feature_set"


def feature_set_asset(feature_set: str, project: str = DEFAULT_PROJECT) -> Asset:
    """Name the data of a feature set as an asset: schedule a DAG on it, or give it as an outlet.

    :raises ValueError: the project is no project name
    """
    return Asset(uri=feature_set_uri(project, feature_set), group=GROUP)


def definition_asset(feature_set: str, project: str = DEFAULT_PROJECT) -> Asset:
    """Name the definition of a feature set as an asset of its own, which moves when the schema does.

    :raises ValueError: the project is no project name
    """
    return Asset(uri=definition_uri(project, feature_set), group=GROUP)


def artifact_asset(kind: ArtifactKind, name: str, project: str = DEFAULT_PROJECT) -> Asset:
    """Name a training set, model, endpoint or monitor as an asset: schedule a DAG on it, or give it as an outlet.

    :raises ValueError: the project is no project name
    """
    return Asset(uri=artifact_uri(kind, project, name), group=kind.replace("-", "_"))


def with_alias(outlets: Any) -> list[Any]:
    """Add the alias to a task's outlets, so that it can name at run time what it wrote."""
    given: list[Any] = list(outlets) if isinstance(outlets, list | tuple | set) else [outlets] if outlets else []
    if any(isinstance(outlet, AssetAlias) and outlet.name == ALIAS for outlet in given):
        return given
    return [*given, AssetAlias(ALIAS)]


def announce(context: Context, outlets: Sequence[Any], fact: FeatureSetDefinition | FeatureWrite) -> None:
    """Attach a fact to the asset event of the feature set that it is about.

    A definition goes to the definition's asset, never to that of the data: a DAG that is scheduled on the data must not
    run because of it.
    """
    make = feature_set_asset if fact.kind == "write" else definition_asset
    attach(context, outlets, make(fact.feature_set, fact.project), fact)


def attach(context: Context, outlets: Sequence[Any], asset: Asset, fact: Model) -> None:
    """Attach a fact to the event of an asset.

    Airflow stores the event in the transaction of the task's success. An outlet that is the asset itself carries the
    fact; otherwise the alias does.
    """
    from festaf.contract.feature_set import EXTRA_KEY

    extra: dict[str, JsonValue] = {EXTRA_KEY: fact.model_dump(mode="json")}
    events = context["outlet_events"]
    for outlet in outlets:
        if isinstance(outlet, Asset) and outlet.uri == asset.uri:
            events[outlet].extra.update(extra)
            return
    events[AssetAlias(ALIAS)].add(asset, extra=extra)
