"""A feature as a person writes it: ``project/feature_set/feature``, or shorter where that is clear."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureName:
    """A feature; the project is None when it was not said."""

    project: str | None
    feature_set: str
    name: str

    @classmethod
    def parse(cls, text: str) -> FeatureName:
        """Read ``project/feature_set/feature`` or ``feature_set/feature``; dots do instead where no name has any.

        :raises ValueError: it is none of these
        """
        parts = text.split("/" if "/" in text else ".")
        if len(parts) not in {2, 3} or not all(parts):
            raise ValueError(f"{text!r} is no feature: write project/feature_set/feature or feature_set/feature")
        *project, feature_set, name = parts
        return cls(project[0] if project else None, feature_set, name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.project, self.feature_set, self.name) if part)
