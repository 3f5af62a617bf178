"""What kind of value a part of a query gives, by the types that sqlglot worked out."""

from __future__ import annotations

from sqlglot import exp

_T = exp.DataType.Type
REAL = frozenset({_T.DOUBLE, _T.FLOAT})
DECIMAL = frozenset({_T.DECIMAL})
INTEGER = frozenset({_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT})
TEXT = frozenset({_T.TEXT, _T.VARCHAR, _T.CHAR})
ARRAY = frozenset({_T.ARRAY})
MAP = frozenset({_T.MAP})
DATE = frozenset({_T.DATE})
PLAIN_TIMESTAMP = frozenset({_T.TIMESTAMP, _T.TIMESTAMPNTZ})
ZONED_TIMESTAMP = frozenset({_T.TIMESTAMPTZ})
TEMPORAL = DATE | PLAIN_TIMESTAMP | ZONED_TIMESTAMP

Kinds = frozenset[exp.DType]

_FAMILIES: tuple[tuple[str, Kinds], ...] = (
    ("number", REAL | DECIMAL | INTEGER),
    ("text", TEXT),
    ("time", TEMPORAL),
    ("boolean", frozenset({_T.BOOLEAN})),
    ("interval", frozenset({_T.INTERVAL})),
    ("array", ARRAY),
)


def is_kind(node: exp.Expr | None, kinds: Kinds) -> bool:
    """Say whether the type of a part is known and among some types."""
    return node is not None and node.type is not None and node.type.this in kinds


def family(node: exp.Expr) -> str:
    """Name the family of types within which Trino converts by itself; '' when the type is not known."""
    if isinstance(node, exp.Interval):
        return "interval"
    return family_of(node.type)


def family_of(kind: exp.DataType | None) -> str:
    """Name the family of a type; '' when it is not known."""
    return next((name for name, kinds in _FAMILIES if kind is not None and kind.this in kinds), "")
