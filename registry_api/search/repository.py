"""The SQL that asks the index: always a bounded number of rows, in an order in which the next ones can be asked for.

Each kind of query is built once: that takes longer than running it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    or_,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.features.list_repository import SUMMARY
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable, FeatureVersionTable
from festaf.registry_api.listed import is_sqlite, one_of, write_values
from festaf.registry_api.search.expression import Expression
from festaf.registry_api.search.spelling import BEGINNING, variants
from festaf.registry_api.search.tables import DocumentTable, VariantTable

SEPARATE = 20
"""So many projects are each walked for themselves; of more, names are looked at in all projects and then chosen."""
NEAREST = 500
HIGHEST = "\U0010ffff"
LOOKED_AT = 1_000
"""So many documents PostgreSQL looks at one after the other: a word that is everywhere fills a window among them."""
WIDEST = 10_000
"""So many it looks at when what it found among the first promises enough among these."""
RARE = 5
"""In so few of the next documents stand words that are worth looking for by themselves."""
MOST = bindparam("most", type_=Integer)


@dataclass(frozen=True)
class Candidate:
    """A feature that the index named, with what it is ranked by."""

    feature_id: int
    compact: str
    name: str
    project: str
    feature_set: str


class Shown(NamedTuple):
    """What is shown of a feature."""

    feature_id: int
    project: str
    feature_set: str
    name: str
    type: str | None
    description: str | None
    owner: str | None
    dag_id: str | None
    dag_namespace: str | None
    last_written: datetime | None
    deleted: bool
    content: dict[str, Any]
    """The newest declared content; empty when none was declared."""


class SearchRepository:
    """Asks for candidates, words and what is shown of features."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sqlite = is_sqlite(session)

    def beginning(self, prefix: str, projects: Collection[str] | None, limit: int) -> list[tuple[str, int]]:
        """Give the names that begin so, with their features, in order of the names."""
        separate = sorted(projects) if projects is not None and len(projects) <= SEPARATE else None
        asked = {"first": prefix, "last": prefix + HIGHEST, "most": limit}
        asked |= {f"project_{place}": name for place, name in enumerate(separate or ())}
        rows = self._rows(_beginning(None if separate is None else len(separate)), asked)
        return [(row[0], row[1]) for row in rows]

    def matching(self, asked: Expression, after: int, limit: int) -> list[int]:
        """Give the features whose documents match, in order of their ids."""
        given: dict[str, Any] = {"after": after, "most": limit}
        if self.sqlite:
            return [row[0] for row in self._rows(_matching(), {**given, "words": asked.fts5()})]
        given["words"] = asked.tsquery()
        rows = self._rows(_among_next(), {**given, "looked_at": LOOKED_AT})
        enough = 2 * LOOKED_AT * limit // len(rows) if rows else WIDEST + 1
        if len(rows) < limit and enough <= WIDEST:
            rows = self._rows(_among_next(), {**given, "looked_at": enough})
        if len(rows) < limit:
            few = self._among_few(asked, after)
            return few[:limit] if few is not None else [row[0] for row in self._rows(_among_all(), given)]
        return [row[0] for row in rows]

    def _among_few(self, asked: Expression, after: int) -> list[int] | None:
        """Give what matches of the documents that have the whole words; None when those do not tell, or are many.

        PostgreSQL's index reads what begins with a prefix in however many documents, before it looks at other words.
        """
        whole = asked.whole()
        if whole is None:
            return None
        given = {"words": whole.tsquery(), "after": after, "looked_at": LOOKED_AT}
        if len(self._rows(_among_next(), {**given, "most": RARE + 1})) > RARE:
            return None
        rows = self._rows(_among_all(), {**given, "most": LOOKED_AT + 1})
        if len(rows) > LOOKED_AT:
            return None
        return sorted(self.agreeing([row[0] for row in rows], asked)) if rows else []

    def candidates(
        self,
        ids: Collection[int],
        *,
        deleted: bool,
        written_since: datetime | None = None,
        not_written_since: datetime | None = None,
    ) -> list[Candidate]:
        """Give what candidates are ranked by, without those that were written too early or too late, or deleted."""
        query = _candidates(self.sqlite, deleted, written_since is not None, not_written_since is not None)
        bounds = {"since": written_since, "not_since": not_written_since}
        given = {name: moment for name, moment in bounds.items() if moment is not None}
        return [Candidate(*row) for row in self._rows(query, _features(ids) | given)]

    def agreeing(self, ids: Collection[int], asked: Expression) -> list[int]:
        """Choose the few features whose documents match, without asking the index for all that do."""
        if self.sqlite:
            rows = self._rows(_documents(), _features(ids))
            return [row[0] for row in rows if asked.matches(row[1].split())]
        return [row[0] for row in self._rows(_agreeing(), {**_features(ids), "words": asked.tsquery()})]

    def shown(self, ids: Sequence[int]) -> dict[int, Shown]:
        """Give what is shown of features."""
        rows = self._rows(_shown(self.sqlite), _features(ids)) if ids else ()
        return {row[0]: Shown._make((*row[:-1], row[-1] or {})) for row in rows}

    def spelled(self, words: Collection[str]) -> set[str]:
        """Choose the words that stand in documents."""
        key = (VariantTable.variant, VariantTable.word)
        asked = [(word[:BEGINNING], word) for word in words]
        return {row[0] for row in fetch(self.session, select(VariantTable.word), tuple_(*key), asked)}

    def spelled_like(self, word: str) -> set[str]:
        """Give words of documents that share a variant with a word."""
        asked = select(VariantTable.word).where(VariantTable.variant.in_(sorted(variants(word))))
        return set(self.session.scalars(asked.order_by(VariantTable.variant, VariantTable.word).limit(NEAREST)))

    def _rows(self, query: Select[*tuple[Any, ...]], asked: dict[str, Any]) -> Sequence[Any]:
        return self.session.connection().execute(query, asked).all()


def _features(ids: Iterable[int]) -> dict[str, Any]:
    return {"features": write_values(sorted(ids))}


@cache
def _beginning(projects: int | None) -> Select[*tuple[Any, ...]]:
    """Build the query for names in so many projects, each walked for itself; in all of them for None."""
    key = (DocumentTable.compact, DocumentTable.feature_id)
    begins = (DocumentTable.compact >= bindparam("first"), DocumentTable.compact < bindparam("last"))
    query = select(*key).where(*begins)
    if projects is None:
        return query.order_by(*key).limit(MOST)
    places = [DocumentTable.project == bindparam(f"project_{place}") for place in range(projects)]
    parts = [select(*query.where(place).order_by(*key).limit(MOST).subquery().c) for place in places]
    found = union_all(*parts).subquery()
    names = select(found.c.compact, found.c.feature_id)
    return names.order_by(found.c.compact, found.c.feature_id).limit(MOST)


@cache
def _matching() -> Select[*tuple[Any, ...]]:
    """Build SQLite's query: its index gives what matches in the order of the ids."""
    text, rowid = column("search_text", Text), column("rowid", BigInteger)
    full = select(rowid).select_from(table("search_text"))
    return full.where(text.op("MATCH")(bindparam("words")), rowid > _after()).order_by(rowid).limit(MOST)


@cache
def _among_next() -> Select[*tuple[Any, ...]]:
    """Build PostgreSQL's query for what matches among the next documents."""
    documents = select(DocumentTable.feature_id, DocumentTable.lexemes).where(DocumentTable.feature_id > _after())
    looked_at = bindparam("looked_at", type_=Integer)
    found = documents.order_by(DocumentTable.feature_id).limit(looked_at).subquery()
    return select(found.c.feature_id).where(_matches(found.c.lexemes)).order_by(found.c.feature_id).limit(MOST)


@cache
def _among_all() -> Select[*tuple[Any, ...]]:
    """Build PostgreSQL's query for what matches, by the index of words, which knows no order.

    The offset keeps it from walking all documents in the order of their ids in the hope that a match comes soon.
    """
    matching = select(DocumentTable.feature_id).where(
        _matches(DocumentTable.lexemes), DocumentTable.feature_id > _after()
    )
    found = matching.offset(0).subquery()
    return select(found.c.feature_id).order_by(found.c.feature_id).limit(MOST)


def _after() -> BindParameter[int]:
    return bindparam("after", type_=BigInteger)


def _matches(lexemes: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = lexemes.op("@@", return_type=Boolean())(
        cast(bindparam("words", type_=Text()), TSQUERY)
    )
    return found


@cache
def _candidates(sqlite: bool, deleted: bool, since: bool, not_since: bool) -> Select[*tuple[Any, ...]]:
    query = (
        select(FeatureTable.id, DocumentTable.compact, FeatureTable.name, FeatureSetTable.project, FeatureSetTable.name)
        .select_from(FeatureTable)
        .join(DocumentTable, DocumentTable.feature_id == FeatureTable.id)
        .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
        .where(one_of(FeatureTable.id, "features", sqlite=sqlite))
    )
    if not deleted:
        query = query.where(FeatureTable.deleted.is_(False))
    if since:
        query = query.where(FeatureTable.last_written >= bindparam("since"))
    if not_since:
        never = FeatureTable.last_written.is_(None)
        query = query.where(or_(never, FeatureTable.last_written < bindparam("not_since")))
    return query


@cache
def _documents() -> Select[*tuple[Any, ...]]:
    query = select(DocumentTable.feature_id, DocumentTable.lexemes)
    return query.where(one_of(DocumentTable.feature_id, "features", sqlite=True))


@cache
def _agreeing() -> Select[*tuple[Any, ...]]:
    query = select(DocumentTable.feature_id).where(_matches(DocumentTable.lexemes))
    return query.where(one_of(DocumentTable.feature_id, "features", sqlite=False))


@cache
def _shown(sqlite: bool) -> Select[*tuple[Any, ...]]:
    return (
        select(FeatureTable.id, *SUMMARY, FeatureVersionTable.content)
        .select_from(FeatureTable)
        .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
        .outerjoin(FeatureVersionTable, FeatureVersionTable.id == FeatureTable.version_id)
        .where(one_of(FeatureTable.id, "features", sqlite=sqlite))
    )
