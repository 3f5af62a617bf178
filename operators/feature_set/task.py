"""What every task on a feature set has: its name and the hook to the feature store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.operators.task import ArtifactTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.provider.hooks.feature_store import FeatureStoreHook


class FeatureSetTask(ArtifactTask):
    """A task on one feature set.

    :param feature_set: name of the feature set, 1 to 64 letters, digits, ``-`` and ``_`` (templated)
    """

    template_fields: Sequence[str] = ("feature_set", *ArtifactTask.template_fields)

    def __init__(self, *, feature_set: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feature_set = feature_set

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach AWS."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return self.make_hook(FeatureStoreHook)
