"""PREPARE, EXECUTE and DEALLOCATE PREPARE as statements of SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.statement import MalformedStatementError, Statement, read_statement

if TYPE_CHECKING:
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.athena.saved_queries import PreparedStatements

_PREPARE = re.compile(r"\s*PREPARE\s+\"?([\w@:]+)\"?\s+FROM\s+(.*?)\s*;?\s*", re.IGNORECASE | re.DOTALL)
_EXECUTE = re.compile(r"\s*EXECUTE\s+\"?([\w@:]+)\"?(?:\s+USING\s+(.*?))?\s*;?\s*", re.IGNORECASE | re.DOTALL)
_DEALLOCATE = re.compile(r"\s*DEALLOCATE\s+PREPARE\s+\"?([\w@:]+)\"?\s*;?\s*", re.IGNORECASE)


def prepared(statement: Statement, name_to_text: PreparedStatements, region: str, group: str) -> Statement:
    """Give what an EXECUTE executes; any other statement, and one of an unknown name, as it is.

    :raises MalformedStatementError: the values after USING cannot be read
    """
    found = _EXECUTE.fullmatch(statement.text) if statement.subtype == "EXECUTE" else None
    text = name_to_text.text(region, group, found[1]) if found else None
    if found is None or text is None:
        return statement
    inner = read_statement(text)
    return Statement(statement.text, inner.tree, inner.kind, inner.subtype, source=text, values=_values(found[2]))


def run(execution: Execution, statements: PreparedStatements) -> Results | None:
    """Carry out PREPARE and DEALLOCATE PREPARE; None when the statement is another.

    :raises QueryError: there is no such statement, or it cannot be read
    """
    text, place = execution.statement.text, (execution.region, execution.work_group)
    if found := _PREPARE.fullmatch(text):
        try:
            read_statement(found[2])
        except MalformedStatementError as error:
            raise QueryError("SYNTAX_ERROR", str(error)) from error
        statements.prepare(*place, found[1], found[2])
    elif found := _DEALLOCATE.fullmatch(text):
        if not statements.forget(*place, found[1]):
            raise QueryError("NOT_FOUND", f"Prepared statement not found: {found[1]}")
    elif found := _EXECUTE.fullmatch(text):
        raise QueryError("NOT_FOUND", f"Prepared statement not found: {found[1]}")
    else:
        return None
    return Results.of_statement()


def _values(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    try:
        tree = sqlglot.parse_one(f"SELECT {text}", read="athena")
    except SqlglotError as error:
        raise MalformedStatementError(f"line 1:1: mismatched input in the values {text!r}") from error
    if not isinstance(tree, exp.Select) or any(value for name, value in tree.args.items() if name != "expressions"):
        raise MalformedStatementError(f"line 1:1: mismatched input in the values {text!r}")
    return tuple(item.sql("athena") for item in tree.expressions)
