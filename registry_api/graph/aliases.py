"""Which names mean the same dataset. Pure functions over what was said of names.

A symlink joins two names for all time. A rename moves what an older name meant, up to that moment, to a newer one; the
older name may mean another dataset afterwards. So the meaning of a name depends on when it was used, and the name that
is shown depends on the time that is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from festaf.registry_api.graph.names import NodeName, dataset_node

EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Rename:
    """At a moment, what ``old`` meant until then got the name ``new``."""

    at: datetime
    old: NodeName
    new: NodeName


class Spelling(NamedTuple):
    """A name as it was used after one moment and up to another."""

    name: NodeName
    after: datetime = EVER
    until: datetime = NEVER

    def covers(self, moment: datetime) -> bool:
        """Tell whether the name had this meaning when it was used at a moment."""
        return self.after < moment <= self.until or (self.after == EVER and moment <= self.until)


class Aliases:
    """The meanings of some names and of all that are joined with them, as one looks from a time."""

    def __init__(
        self,
        symlinks: Collection[tuple[NodeName, NodeName]] = (),
        renames: Collection[Rename] = (),
        as_of: datetime | None = None,
    ) -> None:
        self.as_of = as_of or NEVER
        self.groups = _groups(symlinks, renames)
        self.others = {other for _, other in symlinks}
        self.heads = {name: group[0] for group in self.groups for name in group}
        self.moves: dict[NodeName, list[tuple[datetime, NodeName]]] = defaultdict(list)
        for rename in sorted(renames):
            old, new = self.heads[rename.old], self.heads[rename.new]
            if old != new and rename.at <= self.as_of:
                self.moves[old].append((rename.at, new))
        self.shown_names = {group[0]: self._pick(group, renames) for group in self.groups}
        self.spelled = self._spellings()

    def shown(self, name: NodeName, used_at: datetime) -> NodeName:
        """Give the name to show for one that was used at a moment."""
        whole = name.whole or name
        if whole not in self.heads:
            return name
        return _part(self.shown_names[self._followed(self.heads[whole], used_at)], name.field)

    def spellings(self, name: NodeName) -> list[Spelling]:
        """Give the names, with their times, that meant what is shown under this one."""
        whole = name.whole or name
        if whole not in self.heads:
            return [Spelling(name)]
        found = self.spelled.get(self.heads[whole], [])
        return [Spelling(_part(item.name, name.field), item.after, item.until) for item in found]

    def left_at(self, name: NodeName) -> datetime | None:
        """Give when a name was last given up, if it was not given to anything since."""
        head = self.heads.get(name.whole or name)
        moves = self.moves.get(head, []) if head else []
        if not moves:
            return None
        taken = [at for targets in self.moves.values() for at, new in targets if new == head]
        return None if any(at >= moves[-1][0] for at in taken) else moves[-1][0]

    def _followed(self, head: NodeName, used_at: datetime) -> NodeName:
        moment, first = used_at, True
        while True:
            later = [move for move in self.moves.get(head, ()) if move[0] > moment or (first and move[0] == moment)]
            if not later:
                return head
            (moment, head), first = later[0], False

    def _spellings(self) -> dict[NodeName, list[Spelling]]:
        found: dict[NodeName, list[Spelling]] = defaultdict(list)
        for group in self.groups:
            head, after = group[0], EVER
            for until in (*dict.fromkeys(at for at, _ in self.moves.get(head, ())), NEVER):
                meaning = self._followed(head, until)
                found[meaning] += [Spelling(name, after, until) for name in group]
                after = until
        return found

    def _pick(self, group: list[NodeName], renames: Iterable[Rename]) -> NodeName:
        """Choose the name to show: ours, then one that was not only said as another's; of the time looked at."""
        inside = [item for item in renames if item.old in group and item.new in group]
        gone = {item.old for item in inside if item.at <= self.as_of}
        gone -= {
            item.new for item in inside if item.at <= self.as_of and item.new not in _last_left(inside, self.as_of)
        }
        yet = {item.new for item in inside if item.at > self.as_of} - {item.old for item in inside}
        return min(
            group,
            key=lambda name: (name in gone or name in yet, name.kind != "feature_set", name in self.others, name),
        )


def _last_left(renames: Iterable[Rename], as_of: datetime) -> set[NodeName]:
    """Name what was given up after it was last taken."""
    last: dict[NodeName, bool] = {}
    for item in sorted(renames):
        if item.at <= as_of:
            last[item.old], last[item.new] = True, False
    return {name for name, left in last.items() if left}


def _groups(symlinks: Iterable[tuple[NodeName, NodeName]], renames: Iterable[Rename]) -> list[list[NodeName]]:
    """Join names that symlinks join; give the groups sorted, each sorted."""
    joined: dict[NodeName, set[NodeName]] = {}
    for rename in renames:
        joined.setdefault(rename.old, {rename.old})
        joined.setdefault(rename.new, {rename.new})
    for one, other in symlinks:
        group = joined.setdefault(one, {one}) | joined.setdefault(other, {other})
        for name in group:
            joined[name] = group
    return sorted({id(group): sorted(group) for group in joined.values()}.values())


def _part(whole: NodeName, field: str | None) -> NodeName:
    return whole if field is None else dataset_node(whole.namespace, whole.name, field)
