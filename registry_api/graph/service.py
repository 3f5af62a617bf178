"""Keep edges with their validity, and walk the graph within bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy.orm import Session

from festaf.contract.feature import Origin
from festaf.registry_api.changes import follow, follow_anything
from festaf.registry_api.graph.alias_repository import AliasRepository
from festaf.registry_api.graph.aliases import NEVER, Aliases, Rename, Spelling
from festaf.registry_api.graph.edge_repository import EdgeRepository
from festaf.registry_api.graph.names import NO_SOURCE, NodeName, dataset_node
from festaf.registry_api.graph.precedence import FoundEdge, Place, Word, contested, weigh
from festaf.registry_api.graph.repository import GraphRepository
from festaf.registry_api.graph.subjects import subjects_of
from festaf.registry_api.graph.tables import NodeTable
from festaf.registry_api.table import natural_key
from festaf.registry_api.viewpoint import NOW, Viewpoint

Side = Literal["source", "target"]
WAYS = 1.25
"""By how many ways of different lengths a node may be reached on average before the walk ahead stops."""


class Neighbour(NamedTuple):
    """A node at the other end of a standing edge."""

    node: NodeName
    origin: Origin
    since: datetime
    last_stated: datetime
    last_run: str | None
    transformation: str | None
    passage: bool = True
    """False from a job to a dataset when it is known exactly what goes into that: the job's other inputs do not."""


class GraphService:
    """Keeps nodes and edges."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.graph = GraphRepository(session)
        self.edges = EdgeRepository(session)
        self.aliases = AliasRepository(session)
        self.has_aliases: bool | None = None
        self.met: dict[NodeName, int] = {}
        """The ids of nodes that were met while reading."""
        self.seen: dict[NodeName, datetime] = {}
        """When those nodes were first named of which that was met as well."""

    def keep_nodes(self, seen: Mapping[NodeName, datetime]) -> None:
        """Keep nodes with the times at which events name them, with the datasets that fields are parts of."""
        every = dict(seen)
        for node, at in seen.items():
            whole = node.whole
            if whole and (whole not in every or at < every[whole]):
                every[whole] = at
        self.graph.keep_nodes(every)

    def ids(self, nodes: Iterable[NodeName]) -> dict[NodeName, int]:
        """Give the ids of the nodes that are known."""
        asked = set(nodes)
        if strange := asked - self.met.keys():
            self._meet(strange | {whole for node in strange if (whole := node.whole)})
        return {node: self.met[node] for node in asked if node in self.met}

    def _meet(self, nodes: Iterable[NodeName]) -> None:
        for node, (node_id, first_seen) in self.graph.met(nodes).items():
            self.met[node], self.seen[node] = node_id, first_seen

    def names(self, ids: Collection[int]) -> dict[int, NodeName]:
        """Give the names of nodes."""
        return {node_id: name_of(row) for node_id, row in self.graph.nodes(ids).items()}

    def reachable(self, nodes: Collection[NodeName], side: Side, depth: int, most: int) -> set[NodeName]:
        """Give nodes that lie before (``source``) or behind (``target``) some nodes now: the nearest, about so many.

        They are those to which edges lead as they are stored; ``neighbours`` says which of them count.
        """
        ids = set(self.ids(nodes).values())
        reached = self.edges.reachable(ids, side, depth, int(most * WAYS)) if ids else {}
        for node, (node_id, first_seen) in reached.items():
            self.met[node], self.seen[node] = node_id, first_seen
        return set(reached)

    def neighbours(
        self, nodes: Collection[NodeName], side: Side, view: Viewpoint = NOW
    ) -> dict[NodeName, list[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``), as events said it.

        Of what contradicts each other, the most exact is given; see ``precedence``. What events said of a dataset under
        any of its names is given under the one that is shown; see ``aliases``.
        """
        spelled = self.spelled(nodes, view)
        names = {node_id: meanings[0][1].name for node_id, meanings in spelled.items()}
        edges = self.edges.found(names, side, view)
        # What only reads a node may take that back without naming it; what a node is made from cannot.
        readers = [edge.other for edge in edges] if side == "target" else []
        follow(self.session, subjects_of([*nodes, *readers]))
        for edge in edges:
            self.met[edge.other], self.seen[edge.other] = edge.other_id, edge.first_seen
        aliases = self._aliases({*nodes, *(edge.other for edge in edges)}, view)
        if aliases.groups:
            edges = self._renamed(edges, spelled.values(), aliases, side)
        words = self._words(edges, side, view, aliases)
        targets = self._ids_of(contested(edges, words), aliases)
        completed = self._meant(self.edges.completed(targets, view), aliases) if targets else []
        found: dict[NodeName, list[Neighbour]] = {node: [] for node in nodes}
        for edge in weigh(edges, words, completed):
            item = Neighbour(
                edge.other, edge.origin, edge.since, edge.last_stated, edge.last_run, edge.transformation, edge.passage
            )
            found[edge.here].append(item)
        return found

    def spelled(self, nodes: Collection[NodeName], view: Viewpoint = NOW) -> dict[int, list[tuple[NodeName, Spelling]]]:
        """Give, by the id of every name of some nodes, which of them it means, and when it does."""
        if not self.aliased:
            return {node_id: [(node, Spelling(node))] for node, node_id in self.ids(nodes).items()}
        aliases = self._aliases(nodes, view)
        meanings = [(node, spelling) for node in nodes for spelling in aliases.spellings(node)]
        ids = self.ids({spelling.name for _, spelling in meanings})
        found: dict[int, list[tuple[NodeName, Spelling]]] = defaultdict(list)
        for node, spelling in meanings:
            if node_id := ids.get(spelling.name):
                found[node_id].append((node, spelling))
        return found

    def shown(self, used: Iterable[tuple[NodeName, datetime]], view: Viewpoint = NOW) -> list[NodeName]:
        """Give, in their order, the names under which nodes are shown that were called so at some times."""
        uses = list(used)
        aliases = self._aliases({node for node, _ in uses}, view)
        return [aliases.shown(node, at) for node, at in uses]

    def resolve(self, nodes: Collection[NodeName], view: Viewpoint = NOW) -> dict[NodeName, NodeName]:
        """Give by node the name under which it is shown: another of its names, or the one that it has got since."""
        if not self.aliased:
            return {node: node for node in nodes}
        aliases = self._aliases(nodes, view)
        left = {node: at for node in nodes if (at := aliases.left_at(node)) is not None}
        ids = self.ids(left)
        reused = self.aliases.named_since({ids[node]: left[node] for node in ids}, view, written=False) if ids else ()
        moments = {node: at for node, at in left.items() if ids.get(node) not in reused}
        return {node: aliases.shown(node, moments.get(node, NEVER)) for node in nodes}

    def deleted(self, nodes: Collection[NodeName], view: Viewpoint = NOW) -> set[NodeName]:
        """Give the datasets that were dropped and not written since."""
        if not self.aliased:
            return set()
        aliases = self._aliases(nodes, view)
        spelled = {spelling.name: node for node in nodes for spelling in aliases.spellings(node)}
        names = {node_id: name for name, node_id in self.ids(spelled).items()}
        dropped = self.aliases.dropped(names, view)
        alive = self.aliases.named_since(dropped, view, written=True)
        return {spelled[names[node_id]] for node_id in dropped.keys() - alive}

    @property
    def aliased(self) -> bool:
        """Tell whether anything is known of names at all; most registries never hear of it."""
        if self.has_aliases is None:
            self.has_aliases = self.aliases.any()
            if self.has_aliases:
                follow_anything(self.session)
        return self.has_aliases

    def _aliases(self, nodes: Iterable[NodeName], view: Viewpoint) -> Aliases:
        """Read everything that was said of the names of some datasets, and of the names that it joins them with."""
        if not self.aliased:
            return Aliases()
        ids = set(self.ids({node.whole or node for node in nodes if node.kind != "job"}).values())
        symlinks: set[tuple[int, int]] = set()
        renames: set[tuple[datetime, int, int]] = set()
        new = ids
        while new:
            symlinks |= self.aliases.symlinks(new, view)
            renames |= self.aliases.renames(new, view)
            ends = {end for pair in symlinks for end in pair} | {end for _, *pair in renames for end in pair}
            new, ids = ends - ids, ids | ends
        names = self.names({end for pair in symlinks for end in pair} | {end for _, *pair in renames for end in pair})
        self.met |= {name: node_id for node_id, name in names.items()}
        return Aliases(
            {(names[one], names[other]) for one, other in symlinks},
            {Rename(at, names[old], names[new]) for at, old, new in renames},
            view.as_of,
        )

    def _renamed(
        self,
        edges: Iterable[FoundEdge],
        meanings: Iterable[list[tuple[NodeName, Spelling]]],
        aliases: Aliases,
        side: Side,
    ) -> list[FoundEdge]:
        """Put the names that are shown in the place of those that were used, where they were used in that meaning."""
        meant = {said[0][1].name: said for said in meanings}
        asserters = self._names_of(edge.asserter for edge in edges)
        found: list[FoundEdge] = []
        for edge in edges:
            other, asserter = (aliases.shown(name, edge.last_stated) for name in (edge.other, asserters[edge.asserter]))
            for here, spelling in meant[edge.here]:
                if spelling.covers(edge.last_stated) and (here != other or edge.transformation == NO_SOURCE):
                    source, target = (other, here) if side == "source" else (here, other)
                    found.append(edge._replace(here=here, other=other, source=source, target=target, asserter=asserter))
        return found

    def _words(self, edges: list[FoundEdge], side: Side, view: Viewpoint, aliases: Aliases) -> list[Word]:
        """Give what speaks exactly of the targets: of targets that were asked for, all their edges are at hand."""
        if side == "source":
            return [Word(edge.target, edge.asserter, edge.origin, edge.last_stated) for edge in edges]
        targets = {edge.target for edge in edges if edge.target_kind != "job" and edge.origin != "lineage_facet"}
        return self._meant(self.edges.exact(self._ids_of(targets, aliases), view), aliases) if targets else []

    def _meant(self, words: list[Word], aliases: Aliases) -> list[Word]:
        """Let words speak of the nodes that are shown."""
        if not aliases.groups:
            return words
        names = self._names_of(place for word in words for place in (word.target, word.asserter))
        return [
            word._replace(
                target=aliases.shown(names[word.target], word.last or NEVER),
                asserter=aliases.shown(names[word.asserter], word.last or NEVER),
            )
            for word in words
        ]

    def _names_of(self, places: Iterable[Place]) -> dict[Place, NodeName]:
        """Give what nodes are called that were found by their ids."""
        ids = {place for place in places if isinstance(place, int)}
        names = self.names(ids)
        return {place: names[place] for place in ids}

    def _ids_of(self, places: Iterable[Place], aliases: Aliases) -> set[int]:
        """Give the ids of places: of one that is shown, those of each of its names."""
        found: set[int] = set()
        shown: set[NodeName] = set()
        for place in places:
            if isinstance(place, int):
                found.add(place)
            else:
                shown.add(place)
        return found.union(self.ids({item.name for name in shown for item in aliases.spellings(name)}).values())

    def first_seen(self, nodes: Collection[NodeName]) -> dict[NodeName, datetime]:
        """Give when nodes were first named, by whichever of their names."""
        follow(self.session, subjects_of(nodes))
        asked = set(nodes)
        if strange := asked - self.seen.keys():
            self._meet(strange)
        for node, others in self._otherwise(asked - self.seen.keys()).items():
            self._meet(others.keys() - self.seen.keys())
            self.seen[node] = min(self.seen[other] for other in others)
        return {node: self.seen[node] for node in asked if node in self.seen}

    def opaque_ids(self, nodes: Collection[NodeName]) -> dict[NodeName, str]:
        """Give ids for nodes that the caller may not see: nobody can tell from one which name it hides."""
        rows = {node: str(node_id) for node, node_id in self.ids(nodes).items()}
        for node, others in self._otherwise(set(nodes) - rows.keys()).items():
            whole = self.ids([node.whole or node])
            rows[node] = f"{sorted(whole.values())} {min(others.values())}"
        return {node: f"restricted:{natural_key('node', row)[:20]}" for node, row in rows.items()}

    def _otherwise(self, nodes: Iterable[NodeName]) -> dict[NodeName, dict[NodeName, int]]:
        """Give, of nodes that no event called so, the ids under every name that their dataset ever had."""
        found: dict[NodeName, dict[NodeName, int]] = {}
        for node in nodes if self.aliased else ():
            names = self._aliases([node], NOW).heads
            if others := self.ids({dataset_node(name.namespace, name.name, node.field) for name in names}):
                found[node] = others
        return found


def name_of(row: NodeTable) -> NodeName:
    """Give the name of a node's row."""
    return NodeName(row.kind, row.namespace, row.name, row.field)
