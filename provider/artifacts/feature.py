"""A feature as a DAG's author declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from festaf.contract.feature_set import FeatureDeclaration

FeatureType = Literal["Integral", "Fractional", "String"]
CollectionType = Literal["List", "Set", "Vector"]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of a feature set, with what its author says about it; what is None was not said.

    ``type`` is a SageMaker feature type. It may stay None where a feature only describes rows that are ingested, or
    where the schema is inferred: it is then taken from the feature set. ``logic`` is the code or SQL that computes
    the values, or the Python function itself, whose source is read when the task runs.
    """

    name: str
    type: FeatureType | None = None
    collection: CollectionType | None = None
    dimension: int | None = None
    """Length of a Vector, 1 to 8,192."""
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    technique: str | None = None
    logic: str | Callable[..., Any] | None = None
    sources: tuple[str, ...] = ()
    """URIs, with ``#column`` where a column is meant."""
    tags: tuple[str, ...] = ()
    fresh_within: timedelta | None = None
    """How old the newest values may be before something is wrong."""

    @classmethod
    def of(cls, declared: Feature | Mapping[str, Any]) -> Feature:
        """Take a feature, or a mapping with the same fields.

        :raises InputError: a field is not known
        """
        if isinstance(declared, Feature):
            return declared
        try:
            fields = dict(declared)
            for name in ("sources", "tags"):
                if name in fields:
                    fields[name] = tuple(fields[name])
            return cls(**fields)
        except TypeError as error:
            raise InputError(f"{declared!r} does not describe a feature: {error}") from error

    def logic_text(self) -> str | None:
        """Give the logic as text; a function's source is read from its file.

        :raises InputError: the function has no source, as one typed into a console has none
        """
        if self.logic is None or isinstance(self.logic, str):
            return self.logic
        import inspect

        from festaf.provider.lineage.source import read_source

        try:
            return read_source(inspect.unwrap(self.logic))
        except (OSError, TypeError) as error:
            raise InputError(
                f"The source of the logic of feature {self.name!r} cannot be read ({error}); give it as text"
            ) from error

    def declaration(self, found: Feature | None = None) -> FeatureDeclaration:
        """Give the contract's form of this feature.

        :param found: the same feature as the schema has it, for what was not said here
        :raises InputError: the type is neither declared nor found, or a field does not fit the contract
        """
        from pydantic import ValidationError

        from festaf.contract.feature_set import FeatureDeclaration

        known = self if self.type else found
        if known is None or known.type is None:
            raise InputError(f"Feature {self.name!r} has no type: declare it as Integral, Fractional or String")
        try:
            return FeatureDeclaration(
                name=self.name,
                type=known.type,
                collection=known.collection,
                dimension=known.dimension,
                description=self.description,
                owner=self.owner,
                purpose=self.purpose,
                technique=self.technique,
                logic=self.logic_text(),
                sources=tuple(self.sources),
                tags=tuple(self.tags),
                fresh_within_seconds=self.fresh_within.total_seconds() if self.fresh_within else None,
            )
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InputError(f"Feature {self.name!r}: field {field} is wrong: {first['msg']}") from error
