"""What a caller sees of nodes: which are hidden from him, which are no more, which nobody keeps track of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet

from festaf.contract.feature import Access
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.graph.names import NodeName

Deleted = Callable[[Collection[NodeName]], AbstractSet[NodeName]]
"""Gives those of some nodes that are no more."""


def visibility(
    nodes: Collection[NodeName], sight: Sight, deleted: Deleted, declared: AbstractSet[NodeName] = frozenset()
) -> dict[NodeName, Access]:
    """Say of each node what the caller sees of it; of a hidden one nothing else is asked.

    :param declared: the sources that were declared of what the caller sees: a text among them that is no URI names
        no dataset of anybody, but an event may speak of one by the same name
    """
    words = {name for name in declared if name.untracked}
    hidden = {name for name in nodes if not sight.sees_namespace(name.namespace)} - words
    gone = deleted(set(nodes) - hidden)
    return {name: "restricted" if name in hidden else _of_seen(name, gone) for name in nodes}


def _of_seen(name: NodeName, gone: AbstractSet[NodeName]) -> Access:
    if name in gone:
        return "deleted"
    return "unknown" if name.untracked else "accessible"
