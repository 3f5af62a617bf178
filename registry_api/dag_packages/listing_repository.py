"""The SQL of the list of packages: by the facts of each one's newest published version, all of them by index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.dag_packages.facts import FactKind
from festaf.registry_api.dag_packages.tables import PackageFactTable, PackageTable, PackageVersionTable

LAST = "\U0010ffff"
PackageRow = tuple[PackageTable, PackageVersionTable | None]


@dataclass(frozen=True)
class Wanted:
    """Which packages are asked for."""

    namespaces: Collection[str] | None
    """The only ones; None for all."""
    facts: Sequence[tuple[FactKind, Collection[str]]] = ()
    """Each must be a fact, by one of its values."""
    words: Sequence[str] = ()
    """Each must be how a word begins."""
    maturity: str | None = None
    airflow: Collection[str] | None = None
    """The only specifiers of Airflow versions; None for any."""
    awaiting: bool = False
    """Those that have a staged version, instead of those that have a published one."""


class ListingRepository:
    """Lists packages."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def page(self, wanted: Wanted, after: tuple[str, ...] | None, limit: int) -> Sequence[PackageRow]:
        """Give packages with their newest published version, by namespace and name."""
        key = (PackageTable.namespace, PackageTable.name)
        query = (
            select(PackageTable, PackageVersionTable)
            .outerjoin(PackageVersionTable, PackageVersionTable.id == PackageTable.latest_id)
            .where(*_conditions(wanted))
            .order_by(*key)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        return [(package, version) for package, version in self.session.execute(query)]

    def specifiers(self, namespaces: Collection[str] | None) -> Sequence[str]:
        """Give the specifiers of Airflow versions that packages have; there are few different ones."""
        query = (
            select(PackageVersionTable.airflow)
            .join(PackageTable, PackageTable.latest_id == PackageVersionTable.id)
            .distinct()
        )
        if namespaces is not None:
            query = query.where(PackageTable.namespace.in_(sorted(namespaces)))
        return self.session.scalars(query).all()

    def facts(self, versions: Iterable[int], kinds: Collection[FactKind]) -> dict[tuple[int, str], list[str]]:
        """Give facts of versions by version and kind, sorted."""
        query = (
            select(PackageFactTable.version_id, PackageFactTable.kind, PackageFactTable.value)
            .where(PackageFactTable.version_id.in_(sorted(versions)), PackageFactTable.kind.in_(sorted(kinds)))
            .order_by(PackageFactTable.value)
        )
        found: dict[tuple[int, str], list[str]] = defaultdict(list)
        for version_id, kind, value in self.session.execute(query):
            found[version_id, kind].append(value)
        return found


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.namespaces is not None:
        found.append(PackageTable.namespace.in_(sorted(wanted.namespaces)))
    if wanted.awaiting:
        staged = (PackageVersionTable.package_id == PackageTable.id, PackageVersionTable.state == "staged")
        found.append(exists(select(PackageVersionTable.id).where(*staged).correlate(PackageTable)))
    else:
        found.append(PackageTable.latest_id.is_not(None))
    if wanted.maturity is not None:
        found.append(PackageVersionTable.maturity == wanted.maturity)
    if wanted.airflow is not None:
        found.append(PackageVersionTable.airflow.in_(sorted(wanted.airflow)))
    found += [_fact(kind, or_(*(PackageFactTable.value == value for value in values))) for kind, values in wanted.facts]
    found += [
        _fact("word", and_(PackageFactTable.value >= word, PackageFactTable.value < word + LAST))
        for word in wanted.words
    ]
    return found


def _fact(kind: FactKind, value: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that the newest published version has a fact; the index of facts answers first, as facts are few."""
    holding = select(PackageFactTable.version_id).where(PackageFactTable.kind == kind, value)
    return PackageTable.latest_id.in_(holding)
