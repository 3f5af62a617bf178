"""The base of every table, and the column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Key = BigInteger().with_variant(Integer, "sqlite")
"""An integer key; SQLite numbers rows by itself only under the type name INTEGER."""
STRICT = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
CHANGING = {"postgresql_with": {"fillfactor": 70}}
"""For a table whose rows change often: while the page has room, PostgreSQL writes a changed row beside the old one and
leaves the indexes alone. https://www.postgresql.org/docs/current/storage-hot.html"""
ESCAPED = re.compile(r"[\"\\]")
DIGITS = bytes.maketrans(b"123456789", b"000000000")


class Moment(TypeDecorator[datetime]):
    """An aware UTC time with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps it without the offset."""
        if value is None:
            return None
        return as_utc(value).replace(tzinfo=None) if dialect.name == "sqlite" else as_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write for SQLite the text itself, which sorts as the times do; SQLAlchemy takes long for it."""
        return _text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Read SQLite's text at once; the same few times stand in most rows of an answer."""
        return _moment if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the offset back."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class LongText(TypeDecorator[str]):
    """A text of many kilobytes: SQLite is given it compressed, PostgreSQL compresses it by itself."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Compress it; SQLite keeps bytes in a column of texts as they are."""
        return value if value is None or dialect.name != "sqlite" else zlib.compress(value.encode(), 1)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Give the text; one that was written before texts were compressed is one already."""
        return zlib.decompress(value).decode() if isinstance(value, bytes) else value


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment()}  # noqa: RUF012 - SQLAlchemy reads it as a plain attribute


class Learned:
    """When the registry learned a fact, and when it learned better: the second clock of every fact.

    A fact that was learned and corrected at the same moment was never known to anybody, and is removed.
    """

    recorded_at: Mapped[datetime] = mapped_column()
    superseded_at: Mapped[datetime | None] = mapped_column()
    """None while the fact stands."""


@lru_cache(maxsize=20_000)
def _text(moment: datetime | None) -> str | None:
    """Write UTC without the offset; the same few times stand in most rows of a batch."""
    return as_utc(moment).replace(tzinfo=None).isoformat(" ", "microseconds") if moment else None


@lru_cache(maxsize=20_000)
def _moment(text: str | None) -> datetime | None:
    """Read what ``_text`` wrote."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def as_utc(moment: datetime) -> datetime:
    """Turn an aware time into UTC; at the two ends of the calendar the offset is dropped instead."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


@lru_cache(maxsize=65_536)
def natural_key(*parts: str | None) -> str:
    """Hash a name of several parts: it is as unique as the parts, and short enough for any index."""
    if all(part is None or (part.isascii() and part.isprintable() and not ESCAPED.search(part)) for part in parts):
        text = ", ".join("null" if part is None else f'"{part}"' for part in parts)
        return hashlib.sha256(f"[{text}]".encode()).hexdigest()
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def content_sha256(content: Any) -> str:
    """Hash a JSON value by its content: the order of keys does not matter."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def canonical_json(content: Any) -> bytes:
    """Write a JSON value as ``json.dumps`` does with sorted keys, by a faster writer where that writes the same."""
    try:
        body = orjson.dumps(content, option=STRICT)
        if body.isascii() and _written_alike(body):
            return body
    except TypeError:  # A number of more than 64 bits, or what only the other writer takes.
        pass
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _written_alike(body: bytes) -> bool:
    """Tell that the fast writer wrote nothing otherwise, as it does very small and large floats, and DEL."""
    flat = body.translate(DIGITS)
    return not (b"0e0" in flat or b"0e-" in flat or b"0.0000" in body or b"\x7f" in body)
