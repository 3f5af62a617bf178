"""Declare what a task reads and writes, where no event could know: ``@produces``, ``@consumes`` and ``declare``.

A declaration is checked while the DAG file is parsed, so it costs no more than what it checks: no provider, no AWS
library and no OpenLineage is imported. ``festaf.operators.lineage`` is the public path.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import Asset

from festaf.contract.names import (
    DEFAULT_PROJECT,
    SCHEME,
    dataset_name,
    feature_set_of,
    feature_set_uri,
)
from festaf.provider.errors import InputError
from festaf.provider.lineage.declared import Announcing, Declared, Produced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from festaf.contract.feature_set import FeatureDeclaration
    from festaf.provider.artifacts.feature import Feature

Task = TypeVar("Task")

STAMP = "__festaf_declared__"
"""The attribute of a function that keeps what was declared below ``@task``, until there is an operator."""


@dataclass(frozen=True)
class Declaration:
    """A checked declaration, to be used as a decorator or given to ``declare``."""

    declared: Declared
    place: str
    """File and line."""

    def __call__(self, task: Task) -> Task:
        """Apply to a ``@task`` function, above or below ``@task``; to an operator's callable; or to a task.

        :raises InputError: it is none of these, or what is declared contradicts another declaration
        """
        try:
            _apply(task, self.declared)
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(f"{self.place}: {error}") from error
        return task


def produces(
    feature_set: str | Asset,
    *,
    features: Sequence[Feature | Mapping[str, Any]] = (),
    source: str | None = None,
    owner: str | None = None,
    purpose: str | None = None,
    technique: str | None = None,
    logic: str | Callable[..., Any] | None = None,
    sources: Sequence[str] = (),
    tags: Sequence[str] = (),
    fresh_within: timedelta | None = None,
) -> Declaration:
    """Declare that a task writes a feature set, and what its features are.

    What is said beside ``features`` holds for each of them that does not say otherwise itself.

    :param feature_set: ``project/name``, ``name`` in the project ``default``, or its asset
    :param features: the features that the task writes, as ``Feature`` or mappings with its fields, each with its type
    :param source: URI of the rows
    :param owner: who answers for the features
    :param purpose: why they exist
    :param technique: how they are computed, in words
    :param logic: the code or SQL that computes them, or the Python function itself
    :param sources: URIs that they are made from, with ``#column`` where a column is meant
    :param tags: words to find them by
    :param fresh_within: how old the newest values may be before something is wrong
    :raises InputError: something is wrong; the message names the file and the line
    """
    place = f"{_caller()}: @produces({feature_set!r})"
    common = {
        "owner": owner,
        "purpose": purpose,
        "technique": technique,
        "logic": logic,
        "sources": tuple(sources),
        "tags": tuple(tags),
        "fresh_within": fresh_within,
    }
    try:
        project, name = _feature_set(feature_set)
        if not features and any(common.values()):
            raise ValueError("list the features that this is said of, with features=")
        if source is not None:
            dataset_name(source)
        declarations = _declarations(features, common)
        return Declaration(Declared(produced=(Produced(project, name, declarations, source),)), place)
    except (TypeError, ValueError, InputError) as error:
        raise InputError(f"{place}: {error}") from error


def consumes(*sources: str | Asset) -> Declaration:
    """Declare what a task reads.

    :param sources: assets, or URIs such as ``s3://bucket/key`` and ``x-festaf://project/feature_set``; which columns
        a feature is made from is said with the feature
    :raises InputError: something is wrong; the message names the file and the line
    """
    place = f"{_caller()}: @consumes"
    try:
        if not sources:
            raise ValueError("name at least one asset or URI")
        assets: list[Asset] = []
        uris: list[str] = []
        for source in sources:
            found = _source(source)
            if isinstance(found, Asset):
                assets.append(found)
            else:
                uris.append(found)
        return Declaration(Declared(assets=tuple(assets), uris=tuple(uris)), place)
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: {error}") from error


def declare(
    task: Task,
    *,
    produces: Declaration | Iterable[Declaration] = (),
    consumes: Declaration | Iterable[Declaration] = (),
) -> Task:
    """Declare the lineage of a task that is made already: an operator, a mapped one, or what calling ``@task`` gave.

    :param produces: what ``produces(...)`` gave, one or several
    :param consumes: what ``consumes(...)`` gave, one or several
    :return: the task
    :raises InputError: a declaration does not fit the task, or contradicts another
    """
    for given in (produces, consumes):
        for declaration in (given,) if isinstance(given, Declaration) else given:
            declaration(task)
    return task


def wrote(
    feature_set: str | Asset,
    *,
    rows: int,
    rejected: int = 0,
    source: str | None = None,
    last_event_time: datetime | None = None,
) -> None:
    """Tell, inside of a running task, how many rows it wrote into a feature set that is among its outlets.

    :param feature_set: ``project/name``, ``name`` in the project ``default``, or its asset
    :param rows: rows that stand in the feature set because of this task
    :param rejected: rows that were left out
    :param source: URI of the rows
    :param last_event_time: the newest event time among them, with its zone
    :raises InputError: a value is wrong, or the feature set is no outlet of the task
    """
    from airflow.sdk import get_current_context
    from pydantic import ValidationError

    from festaf.contract.feature_set import FeatureWrite
    from festaf.provider.assets import attach, feature_set_asset

    try:
        project, name = _feature_set(feature_set)
        write = FeatureWrite(
            project=project,
            feature_set=name,
            source=source,
            rows_read=rows + rejected,
            rows_accepted=rows,
            rows_rejected=rejected,
            last_event_time=last_event_time,
        )
    except (TypeError, ValueError, ValidationError) as error:
        raise InputError(f"wrote({feature_set!r}): {error}") from error
    context, asset = get_current_context(), feature_set_asset(name, project)
    if not any(isinstance(outlet, Asset) and outlet.uri == asset.uri for outlet in context["task"].outlets):
        raise InputError(f"wrote({feature_set!r}): the task has no outlet {asset.uri}; declare it with @produces")
    attach(context, context["task"].outlets, asset, write)


def _apply(task: Any, declared: Declared) -> None:
    """Put what is declared where the task, or what will become one, keeps its outlets, inlets and hook."""
    operator = getattr(task, "operator", task)
    if isinstance(getattr(operator, "partial_kwargs", None), dict):
        _into_kwargs(operator.partial_kwargs, declared)
    elif isinstance(getattr(operator, "kwargs", None), dict) and hasattr(operator, "operator_class"):
        _into_kwargs(operator.kwargs, declared)
    elif hasattr(operator, "task_id") and hasattr(operator, "outlets"):
        operator.outlets = _joined(operator.outlets, [item.asset for item in declared.produced])
        operator.inlets = _joined(operator.inlets, declared.assets)
        operator._post_execute_hook = _hooked(operator._post_execute_hook, declared)
    elif callable(operator):
        known = getattr(operator, STAMP, None)
        setattr(operator, STAMP, known.and_also(declared) if known else declared)
        _await_operators()
    else:
        raise TypeError(f"{task!r} is no task and no function")


def _into_kwargs(kwargs: dict[str, Any], declared: Declared) -> None:
    kwargs["outlets"] = _joined(kwargs.get("outlets"), [item.asset for item in declared.produced])
    kwargs["inlets"] = _joined(kwargs.get("inlets"), declared.assets)
    kwargs["post_execute"] = _hooked(kwargs.get("post_execute"), declared)


def _joined(given: Any, assets: Iterable[Asset]) -> list[Any]:
    known: list[Any] = list(given) if isinstance(given, list | tuple | set) else [given] if given else []
    uris = {getattr(item, "uri", None) for item in known}
    return [*known, *(asset for asset in assets if asset.uri not in uris)]


def _hooked(hook: Callable[..., Any] | None, declared: Declared) -> Announcing:
    return hook.and_also(declared) if isinstance(hook, Announcing) else Announcing(declared, hook)


class _StampedTasks:
    """A cluster policy of this process that looks for functions that were stamped before there was an operator."""

    @staticmethod
    def task_policy(task: Any) -> None:
        """Apply what a task's function was stamped with."""
        kwargs = getattr(task, "partial_kwargs", None) or {}
        function = getattr(task, "python_callable", None) or kwargs.get("python_callable")
        declared = getattr(function, STAMP, None)
        hook = kwargs.get("post_execute") or getattr(task, "_post_execute_hook", None)
        if isinstance(declared, Declared) and not (isinstance(hook, Announcing) and hook.declared.holds(declared)):
            _apply(task, declared)


def _await_operators() -> None:
    """Have Airflow show us every task after it read a DAG file, as it does for cluster policies."""
    from airflow import settings

    manager = getattr(settings, "POLICY_PLUGIN_MANAGER", None) or settings.get_policy_plugin_manager()
    if not manager.has_plugin(__name__):
        from airflow.policies import hookimpl

        hookimpl(_StampedTasks.task_policy)
        manager.register(_StampedTasks, name=__name__)


def _feature_set(given: str | Asset) -> tuple[str, str]:
    """Read a feature set's project and name."""
    if isinstance(given, Asset):
        text = str(given.uri)
    elif not isinstance(given, str):
        raise TypeError(f"name a feature set as 'project/name' or by its asset, not by {given!r}")
    else:
        project, _, name = given.partition("/") if "/" in given else (DEFAULT_PROJECT, "", given)
        text = given if "://" in given else feature_set_uri(project, name)
    dataset = dataset_name(text)
    found = feature_set_of(dataset)
    if found is None or dataset.field or not 0 < len(found[1]) <= 64:
        raise ValueError(f"{text!r} does not name a feature set: write 'project/name'")
    feature_set_uri(*found)
    return found


def _source(given: str | Asset) -> str | Asset:
    """Read what is consumed; a URI of ours becomes an asset, which costs Airflow nothing to parse."""
    if isinstance(given, Asset):
        return given
    if not isinstance(given, str):
        raise TypeError(f"name what is read by its asset or URI, not by {given!r}")
    dataset = dataset_name(given)
    if dataset.field:
        raise ValueError(f"{given!r} names a column: say with the feature which columns it is made from")
    return Asset(given) if given.startswith((f"{SCHEME}://", f"{SCHEME}-")) else given


def _declarations(
    features: Sequence[Feature | Mapping[str, Any]], common: Mapping[str, Any]
) -> tuple[FeatureDeclaration, ...]:
    from dataclasses import replace

    from festaf.provider.artifacts.feature import Feature

    found: dict[str, FeatureDeclaration] = {}
    for feature in map(Feature.of, features):
        missing = {name: value for name, value in common.items() if value and not getattr(feature, name)}
        declaration = replace(feature, **missing).declaration()
        if declaration.name in found:
            raise ValueError(f"the feature {declaration.name!r} is declared twice")
        for uri in declaration.sources:
            dataset_name(uri)
        found[declaration.name] = declaration
    return tuple(found.values())


def _caller() -> str:
    """Name the line of the DAG file that declares."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
