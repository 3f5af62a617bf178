"""The datasets of a task, read from the objects that its own process holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.contract import datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.contract.datasets import Attached
    from festaf.contract.facts.told import Worker
    from festaf.contract.openlineage import InputDataset, OutputDataset


def inputs(inlets: Iterable[object], attached: Attached) -> tuple[InputDataset, ...]:
    """Name what a task read: its inlets, and what it says that it made its outputs from."""
    return datasets.inputs(_uris(inlets), attached)


def outputs(outlets: Iterable[object], attached: Attached) -> tuple[OutputDataset, ...]:
    """Name what a task wrote, each with what was said about it."""
    return datasets.outputs(_uris(outlets), attached)


def attached_to(outlet_events: Mapping[Any, Any], worker: Worker) -> Attached:
    """Collect what a task attached, through assets and through aliases; what is about one dataset goes together."""
    return datasets.attached(_events(outlet_events), worker)


def _events(outlet_events: Mapping[Any, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for asset in outlet_events:
        accessor = outlet_events[asset]
        if uri := getattr(asset, "uri", None):
            yield uri, accessor.extra
        for event in accessor.asset_alias_events:
            yield getattr(event.dest_asset_key, "uri", None), event.extra


def _uris(assets: Iterable[object]) -> list[str]:
    """Give the URIs of assets and of references by URI; a reference by name and an alias have none."""
    uris = (getattr(asset, "uri", None) for asset in assets)
    return [uri for uri in uris if isinstance(uri, str) and uri]
