"""Infer the features of a feature set from data or from a Glue table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.provider.artifacts.feature import Feature
from festaf.provider.artifacts.feature_set import GlueTable
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from festaf.provider.artifacts.feature import FeatureType
    from festaf.provider.hooks.feature_store import FeatureStoreHook

GLUE_TYPES: dict[str, FeatureType] = {
    "tinyint": "Integral",
    "smallint": "Integral",
    "int": "Integral",
    "integer": "Integral",
    "bigint": "Integral",
    "boolean": "Integral",
    "float": "Fractional",
    "double": "Fractional",
    "real": "Fractional",
    "string": "String",
    "date": "String",
    "timestamp": "String",
}
ADDED_BY_AWS = {"write_time", "api_invocation_time", "is_deleted"}


def infer_features(source: Any, hook: FeatureStoreHook) -> tuple[Feature, ...]:
    """Infer the features from a path or URI of Parquet or CSV, ``glue://database/table``, or a DataFrame.

    Whole numbers and booleans become Integral, other numbers Fractional, text, dates and times String; lists become
    collections of the type List.

    :raises InputError: there is nothing there, or a column's type cannot be told
    """
    if isinstance(source, str) and source.startswith("glue://"):
        return _from_glue(source, hook)
    schema = _csv_schema(source, hook) if isinstance(source, str) and _is_csv(source) else _schema(source, hook)
    return tuple(
        _feature(name, kind, str(source) if isinstance(source, str) else "the DataFrame") for name, kind in schema
    )


def complete(declared: Sequence[Feature], inferred: Sequence[Feature]) -> tuple[Feature, ...]:
    """Lay what was declared over what was inferred; the declared features' order and types go first.

    :raises InputError: a feature without a type was not found in the data either
    """
    known = {feature.name: feature for feature in inferred}
    features = [_completed(feature, known.get(feature.name)) for feature in declared]
    names = {feature.name for feature in declared}
    return (*features, *(feature for feature in inferred if feature.name not in names))


def _completed(feature: Feature, found: Feature | None) -> Feature:
    if feature.type:
        return feature
    if found is None:
        raise InputError(f"Feature {feature.name!r} has no type, and the data has no column of this name")
    return replace(feature, type=found.type, collection=found.collection, dimension=found.dimension)


def feature_type(kind: pa.DataType) -> FeatureType | None:
    """Give the feature type of an Arrow type; None when it cannot be told."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "Integral"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "Fractional"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return "String"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "String"
    return None


def _feature(name: str, kind: pa.DataType, where: str) -> Feature:
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if element := feature_type(kind.value_type):
            return Feature(name=name, type=element, collection="List")
    elif scalar := feature_type(kind):
        return Feature(name=name, type=scalar)
    reason = "holds no value" if pa.types.is_null(kind) else f"is {kind}"
    raise InputError(f"The type of column {name!r} of {where} cannot be told, it {reason}: declare it in features")


def _schema(source: Any, hook: FeatureStoreHook) -> list[tuple[str, pa.DataType]]:
    from festaf.provider.ingest.source import open_source

    return [(name, kind) for name, kind in open_source(source, None, hook).types().items() if kind is not None]


def _is_csv(source: str) -> bool:
    from festaf.provider.ingest.source import CSV

    return source.lower().endswith(CSV)


def _csv_schema(source: str, hook: FeatureStoreHook) -> list[tuple[str, pa.DataType]]:
    """Read a CSV file as a whole: a column's last value may be what decides its type."""
    from festaf.provider.ingest.csv_source import CsvSource
    from festaf.provider.ingest.files import find_files
    from festaf.provider.ingest.source import CSV

    return CsvSource(find_files(source, CSV, hook)[0]).inferred_types()


def _from_glue(uri: str, hook: FeatureStoreHook) -> tuple[Feature, ...]:
    parts = urlsplit(uri)
    database, table = parts.netloc, parts.path.strip("/")
    if not database or not table:
        raise InputError(f"{uri!r} names no table: write glue://database/table")
    found = hook.glue_table(GlueTable("", database, table))
    if found is None:
        raise InputError(f"There is no Glue table {database}.{table} in {hook.place}")
    columns = found["StorageDescriptor"]["Columns"]
    return tuple(_glue_feature(item["Name"], item["Type"], uri) for item in columns if item["Name"] not in ADDED_BY_AWS)


def _glue_feature(name: str, kind: str, where: str) -> Feature:
    text = kind.lower().strip()
    inner = text.removeprefix("array<").removesuffix(">") if text.startswith("array<") else text
    base = "double" if inner.startswith("decimal") else "string" if inner.startswith(("varchar", "char")) else inner
    if base not in GLUE_TYPES:
        raise InputError(f"The type of column {name!r} of {where} cannot be told, it is {kind}: declare it in features")
    return Feature(name=name, type=GLUE_TYPES[base], collection="List" if inner != text else None)
