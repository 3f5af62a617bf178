"""Reads the text of a statement: what kind it is, and its parameters put in."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects.athena import Athena
from sqlglot.errors import ParseError, SqlglotError

from festaf.local_aws.athena.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["DML", "DDL", "UTILITY"]


class MalformedStatementError(Exception):
    """The text is no statement; StartQueryExecution refuses it at once, as Athena does."""


@dataclass(frozen=True)
class Statement:
    """A statement that was read."""

    text: str
    tree: exp.Expr
    kind: Kind
    subtype: str
    """Athena's SubstatementType, such as ``SELECT``."""
    source: str = ""
    """What the tree was read from, when that is not the text but a prepared statement."""
    values: tuple[str, ...] = ()
    """What EXECUTE gives after USING, each written as SQL."""

    @property
    def read_from(self) -> str:
        """Give the text that the places in messages are of."""
        return self.source or self.text


class Unload(exp.Expression):
    """UNLOAD (query) TO 's3://...' WITH (...), which sqlglot does not read."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "target": True, "properties": False}


def read_statement(text: str) -> Statement:
    """Read a statement of Athena's SQL.

    :raises MalformedStatementError: it cannot be read, or there are several
    """
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = [tree for tree in sqlglot.parse(text, read="athena") if tree is not None]
        trees = [_unload(text) if _is_unload(tree) else as_query(tree) for tree in trees]
    except ParseError as error:
        raise MalformedStatementError(_worded(error)) from error
    except SqlglotError as error:
        raise MalformedStatementError(str(error)) from error
    if not trees:
        raise MalformedStatementError("line 1:1: mismatched input '<EOF>'. Expecting: <query>")
    if len(trees) > 1:
        raise MalformedStatementError(f"Only one sql statement is allowed. Got: {text}")
    kind, subtype = _kind(trees[0], text)
    return Statement(text, trees[0], kind, subtype)


def as_query(tree: exp.Expr) -> exp.Expr:
    """Make VALUES, which sqlglot takes for no query, a query."""
    if not isinstance(tree, exp.Values):
        return tree
    width = len(tree.expressions[0].expressions) if isinstance(tree.expressions[0], exp.Tuple) else 1
    names = [exp.to_identifier(f"_col{place}", quoted=True) for place in range(width)]
    values = exp.Values(expressions=tree.expressions, alias=exp.TableAlias(this=exp.to_identifier("v"), columns=names))
    return exp.select("*").from_(values)


def bind(statement: Statement, parameters: Sequence[str]) -> exp.Expr:
    """Put ExecutionParameters, each written as SQL, in the places of the question marks.

    :raises QueryError: there are more or fewer, or one is no value
    """
    tree = statement.tree.copy()
    places = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Placeholder)]
    if len(places) != len(parameters):
        message = f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}"
        raise QueryError("INVALID_PARAMETER_USAGE", f"line 1:1: {message}")
    for place, text in zip(places, parameters, strict=True):
        place.replace(_value(text))
    return tree


def _value(text: str) -> exp.Expr:
    try:
        value = sqlglot.parse_one(text, read="athena")
    except SqlglotError:
        value = exp.Column(this=exp.to_identifier(text))
    plain = value.this if isinstance(value, exp.Neg | exp.Cast) else value
    if not isinstance(plain, exp.Literal | exp.Boolean | exp.Null | exp.Interval | exp.Array):
        raise QueryError("INVALID_PARAMETER_USAGE", f"The parameter {text!r} is no value; write text in single quotes")
    return value


def _kind(tree: exp.Expr, text: str) -> tuple[Kind, str]:
    if isinstance(tree, exp.Query):
        return "DML", "SELECT"
    if isinstance(tree, exp.Create):
        target = {"SCHEMA": "DATABASE"}.get(tree.kind or "", tree.kind or "")
        if target == "TABLE" and tree.expression is not None:
            return "DDL", "CREATE_TABLE_AS_SELECT"
        return "DDL", f"CREATE_{target}"
    if isinstance(tree, exp.Drop):
        return "DDL", f"DROP_{tree.args.get('kind') or ''}".replace("SCHEMA", "DATABASE")
    if isinstance(tree, Unload):
        return "DML", "UNLOAD"
    if isinstance(tree, exp.Insert):
        return "DML", "INSERT"
    if isinstance(tree, exp.Command | exp.Alter):
        words = text.upper().split()
        if words[0] in ("PREPARE", "EXECUTE", "DEALLOCATE"):
            return "DDL", words[0]
        return ("UTILITY" if words[0] in ("SHOW", "DESCRIBE", "EXPLAIN") else "DDL"), "_".join(words[:2])
    return ("UTILITY" if isinstance(tree, exp.Describe) else "DML"), type(tree).__name__.upper()


def _is_unload(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Command) and tree.name.upper() == "UNLOAD"


def _unload(text: str) -> Unload:
    """Read an UNLOAD; its query keeps its places in the text.

    :raises ParseError: it cannot be read
    """
    start = text.index("(")
    end = _closing(text, start)
    tail = re.fullmatch(r"\s*TO\s+('(?:[^']|'')*')\s*(WITH\s*\(.*\))?\s*;?\s*", text[end + 1 :], re.I | re.S)
    if tail is None:
        raise MalformedStatementError(f"line 1:1: mismatched input in {text[end + 1 :].strip()!r}. Expecting: 'TO'")
    query = sqlglot.parse_one(re.sub(r"\S", " ", text[: start + 1]) + text[start + 1 : end], read="athena")
    if not isinstance(query, exp.Query):
        raise MalformedStatementError("line 1:9: mismatched input. Expecting: <query>")
    made = sqlglot.parse_one(f"CREATE TABLE t {tail[2] or ''} AS SELECT 1", read="athena")
    target = sqlglot.parse_one(tail[1], read="athena")
    return Unload(this=query.unnest(), target=target, properties=made.args.get("properties"))


def _closing(text: str, start: int) -> int:
    """Find the parenthesis that closes the one at an offset."""
    depth = 0
    for token in Athena().tokenize(text[start:]):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0:
            return start + token.start
    raise MalformedStatementError("line 1:1: mismatched input '<EOF>'. Expecting: ')'")


def _worded(error: ParseError) -> str:
    details = error.errors[0] if error.errors else {}
    line, column, found = details.get("line"), details.get("col"), details.get("highlight")
    if not isinstance(line, int) or not isinstance(column, int):
        return re.sub(r"\x1b\[\d*m", "", str(error))
    shown = str(found or "<EOF>")
    return f"line {line}:{max(column - len(shown) + 1, 1)}: mismatched input '{shown}'. {details.get('description')}"
