"""Name the columns that an ``INSERT ... SELECT`` fills, where a parser knows only what the query calls them.

``INSERT INTO weather (wind) SELECT avg(speed) FROM raw`` fills ``wind``; openlineage-sql 1.54 calls it ``_0``. The
query is rewritten with an alias for each column before it is parsed; what is not surely understood stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENDS = {
    "FROM",
    "WHERE",
    "UNION",
    "UNION ALL",
    "EXCEPT",
    "INTERSECT",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "ON",
    "RETURNING",
}
BEFORE = {"DISTINCT", "ALL"}


class Word(NamedTuple):
    """A token with the depth of the parentheses around it."""

    text: str
    kind: Any
    depth: int

    @property
    def key(self) -> str:
        """Give a keyword as it is compared."""
        return " ".join(self.text.upper().split())


def with_named_columns(statement: str, known: Callable[[str], Sequence[str] | None]) -> str:
    """Give each column of a query that fills a table the name of the column that it fills.

    :param known: the columns of a table by its name as it is written, in order; None when they are not known
    """
    try:
        import sqlparse
    except ImportError:
        return statement
    parsed = sqlparse.parse(statement)
    if len(parsed) != 1:
        return statement
    words = _words(parsed[0])
    insert = next((i for i, word in enumerate(words) if word.depth == 0 and word.key == "INTO"), None)
    if insert is None:
        return statement
    queries = [i for i in range(insert, len(words)) if words[i].depth == 0 and words[i].key == "SELECT"]
    if not queries:
        return statement
    target = words[insert + 1 : queries[0]]
    columns = _column_list(target) or known(_table(target))
    for query in reversed(queries):
        named = _named(words, query, columns or ())
        if named is None:
            return statement
        words = named
    return "".join(word.text for word in words)


def _named(words: list[Word], query: int, columns: Sequence[str]) -> list[Word] | None:
    """Name the columns of one query; None when there are not as many as the table has."""
    start = query + 1
    while start < len(words) and (not words[start].text.strip() or words[start].key in BEFORE):
        start += 1
    end = next((i for i in range(start, len(words)) if words[i].depth == 0 and words[i].key in ENDS), len(words))
    items = _split(words[start:end])
    if len(columns) != len(items) or any(_text(item).endswith("*") for item in items):
        return None
    text = ", ".join(f"{_expression(item)} AS {column}" for item, column in zip(items, columns, strict=True))
    return [*words[:start], Word(f"{text} ", None, 0), *words[end:]]


def _words(statement: Any) -> list[Word]:
    words, depth = [], 0
    for token in statement.flatten():
        if token.value == ")":
            depth -= 1
        words.append(Word(token.value, token.ttype, depth))
        if token.value == "(":
            depth += 1
    return words


def _column_list(words: list[Word]) -> list[str] | None:
    """Read ``(a, b)`` behind the table's name; None when there is no such list."""
    opening = next((i for i, word in enumerate(words) if word.text == "(" and word.depth == 0), None)
    if opening is None or any(word.depth == 0 and word.key in {"WITH", "AS"} for word in words[:opening]):
        return None
    names = "".join(word.text for word in _until_closed(words[opening + 1 :])).split(",")
    return [name.strip() for name in names]


def _until_closed(words: list[Word]) -> list[Word]:
    closing = next((i for i, word in enumerate(words) if word.text == ")" and word.depth == 0), len(words))
    return words[:closing]


def _table(words: list[Word]) -> str:
    names = []
    for word in words:
        if word.text == "(" or word.key in {"WITH", "AS"}:
            break
        names.append(word.text)
    return "".join(names).strip()


def _split(words: list[Word]) -> list[list[Word]]:
    items: list[list[Word]] = [[]]
    for word in words:
        if word.text == "," and word.depth == 0:
            items.append([])
        else:
            items[-1].append(word)
    return items


def _expression(item: list[Word]) -> str:
    """Leave out the alias that a column of the query has already."""
    alias = next((i for i, word in enumerate(item) if word.depth == 0 and word.key == "AS"), None)
    if alias is not None:
        return _text(item[:alias])
    solid = [i for i, word in enumerate(item) if word.text.strip()]
    if len(solid) > 1 and _is_name(item[solid[-1]]) and solid[-1] - solid[-2] > 1 and _ends_value(item[solid[-2]]):
        return _text(item[: solid[-1]])
    return _text(item)


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words).strip()


def _is_name(word: Word) -> bool:
    return str(word.kind).startswith(("Token.Name", "Token.Literal.String.Symbol"))


def _ends_value(word: Word) -> bool:
    return word.text == ")" or word.key == "END" or _is_name(word) or str(word.kind).startswith("Token.Literal")
