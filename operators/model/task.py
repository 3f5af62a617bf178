"""What every task on a model has: its name, the hook, and where it comes from itself."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.operators.task import ArtifactTask, running_code
from festaf.provider.assets import artifact_asset, attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.contract.model_version import ModelVersionFact
    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.origin import Origin


class ModelTask(ArtifactTask):
    """A task on one model.

    :param model: name of the model (templated)
    """

    template_fields: Sequence[str] = ("model", *ArtifactTask.template_fields)

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    @cached_property
    def hook(self) -> ModelHook:
        """Reach AWS."""
        from festaf.provider.hooks.model import ModelHook

        return self.make_hook(ModelHook)

    def origin(self, context: Context) -> Origin:
        """Tell which task of which run this is, and which code it runs."""
        from festaf.provider.models.origin import Origin

        return Origin.of(context, running_code(context))

    def tell(self, context: Context, fact: ModelVersionFact) -> dict[str, Any]:
        """Attach a fact to the model's asset event, and give it as the task's return value."""
        attach(context, self.outlets, artifact_asset("model", fact.model, fact.project), fact)
        return fact.model_dump(mode="json")
