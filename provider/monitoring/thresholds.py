"""Where a measured difference begins to count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """A value above its threshold is a violation; None leaves the check out."""

    psi: float | None = 0.2
    """Usual reading: below 0.1 the same, above 0.2 another distribution."""
    ks: float | None = 0.1
    chi_square: float | None = 0.1
    missing_increase: float | None = 0.05
    """By how much the share of missing values may grow."""
    missing_share: float | None = None
    out_of_range: float | None = 0.01
    """Share of values below the baseline's least or above its greatest."""
    new_categories: float | None = 0.01
    """Share of rows in categories that the baseline has not."""

    def changed(self, values: Mapping[str, Any], where: str) -> Thresholds:
        """Give these with some changed.

        :raises InputError: there is no such check, or a threshold is no number from 0 on
        """
        known = {item.name for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise InputError(f"{where} has {name!r}: write {', '.join(sorted(known))}")
            if value is not None and not (isinstance(value, int | float) and value >= 0):
                raise InputError(f"{where}: {name} is {value!r}: write a number from 0 on, or None for no check")
        return replace(self, **values)

    def as_dict(self) -> dict[str, float | None]:
        """Give them by name."""
        return asdict(self)
