"""What is taken from one feature set, as the author of a DAG says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_AGE = timedelta(days=36_500)


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """The features that a training set takes from one feature set, and how its records are found.

    ``features`` are names, or a mapping from feature to column; None takes all but the record identifier and the event
    time. A row gets the newest record that is not younger than the row; with ``strict`` one that is older. A record
    older than ``max_age`` (timedelta or seconds) counts as none. With ``point_in_time=False`` every row gets the newest
    record there is: right only for what does not change with time.
    """

    feature_set: str
    features: Sequence[str] | Mapping[str, str] | None = None
    entity: str | None = None
    """The column of the entity rows that holds the record identifier; None is the column of the identifier's name."""
    prefix: str = ""
    """Put before each column whose name was not given."""
    max_age: timedelta | float | None = None
    strict: bool = False
    point_in_time: bool = True
    project: str | None = None
    """Project of the feature set, when it is not the task's own."""

    @classmethod
    def of(cls, given: FeatureView | Mapping[str, Any] | str) -> FeatureView:
        """Take a view, a mapping with the same fields, or the name of a feature set.

        :raises InputError: it is none of these
        """
        if isinstance(given, FeatureView):
            return given
        if isinstance(given, str):
            return cls(feature_set=given)
        try:
            return cls(**given)
        except TypeError as error:
            raise InputError(f"{given!r} does not say what to take from a feature set: {error}") from error

    @property
    def max_age_microseconds(self) -> int | None:
        """Give the tolerance exactly.

        :raises InputError: it is negative or more than a hundred years
        """
        if self.max_age is None:
            return None
        if not self.point_in_time:
            raise InputError(
                f"Feature set {self.feature_set}: max_age has no meaning with point_in_time=False, which takes the "
                "latest value whatever its time"
            )
        age = self.max_age if isinstance(self.max_age, timedelta) else timedelta(seconds=float(self.max_age))
        if not timedelta(0) <= age <= LONGEST_AGE:
            raise InputError(f"Feature set {self.feature_set}: max_age {age} is not between 0 and 36,500 days")
        return age // timedelta(microseconds=1)

    def wanted(self) -> dict[str, str | None] | None:
        """Give the features by name, each with its column when that was given; None for all.

        :raises InputError: a feature stands twice, or there is none
        """
        if self.features is None:
            return None
        if isinstance(self.features, str):
            raise InputError(f"Feature set {self.feature_set}: features is a text: write a list of names")
        from collections.abc import Mapping

        if isinstance(self.features, Mapping):
            found: dict[str, str | None] = dict(self.features)
        else:
            found = dict.fromkeys(self.features)
            if len(found) != len(self.features):
                raise InputError(f"Feature set {self.feature_set}: a feature stands twice in {list(self.features)}")
        if not found:
            raise InputError(f"Feature set {self.feature_set}: no feature is asked for; None asks for all")
        return found
