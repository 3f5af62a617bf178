"""Retire a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.model.task import ModelTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.provider.models.deletion import ModelDeletion
    from festaf.provider.models.name import ModelName


class DeleteModelOperator(ModelTask):
    """Retire a version, a model package group or a SageMaker model; one that is not there is a success.

    What an endpoint serves is refused, and so is a group that has versions. The model data in S3 stay.

    :param model: ``group:version`` or the ARN of a version; a group; or a SageMaker model (templated)
    :param version: the version, when ``model`` names none (templated)
    :param what: version, group or model; None takes what ``model`` names, and fails when a group and a SageMaker model
        have that name (templated)
    :param delete_versions: whether the versions of a group are deleted with it
    :param force: whether to delete what an endpoint serves
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which the wait ends and the task fails
    :return: whether there was something to delete
    """

    template_fields: Sequence[str] = (*ModelTask.template_fields, "version", "what")

    def __init__(
        self,
        *,
        version: int | str | None = None,
        what: Literal["version", "group", "model"] | None = None,
        delete_versions: bool = False,
        force: bool = False,
        poll_interval: float = 5,
        timeout: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.version = version
        self.what = what
        self.delete_versions = delete_versions
        self.force = force
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> bool:
        """Delete, and attach to the model's asset event that the version or group is gone."""
        from festaf.provider.models.deletion import ModelDeletion
        from festaf.provider.models.name import ModelName

        asked = ModelName.of(self.model, self.version)
        steps = ModelDeletion(self.hook, self.log, self.force, self.poll_interval, self.timeout)
        what = self._what(asked)
        if what == "version":
            deleted = self._delete_version(context, asked, steps)
        elif what == "group":
            deleted = self._delete_group(context, asked, steps)
        else:
            deleted = what is not None and steps.delete_model(asked.name)
        if not deleted:
            self.log.info("There is no model %s; nothing to delete", asked.label)
        return deleted

    def _what(self, asked: ModelName) -> str | None:
        """Tell what is to be deleted; None when nothing of this name stands.

        :raises InputError: that cannot be told
        """
        from festaf.provider.errors import InputError

        named = {"model-package": "version", "model-package-group": "group", "model": "model"}
        known = "version" if asked.version is not None else named.get(asked.kind or "")
        if self.what not in {None, "", "version", "group", "model"}:
            raise InputError(f"what is {self.what!r}: write version, group or model")
        if self.what and known and self.what != known:
            raise InputError(f"{self.model!r} names a {known}, and what is {self.what!r}: give one of them")
        if self.what == "version" and asked.version is None:
            raise InputError(f"Say which version of model {asked.name} is deleted: give version, or group:version")
        if found := self.what or known:
            return found
        standing = self.hook.patiently(lambda: self._standing(asked.name))
        if standing == ("group", "model"):
            raise InputError(f"{asked.name} is both a group and a SageMaker model: give what='group' or what='model'")
        return standing[0] if standing else None

    def _standing(self, name: str) -> tuple[str, ...] | None:
        """Tell what stands under a name; None for nothing."""
        group, model = self.hook.describe_group(name), self.hook.describe_model(name)
        return tuple(what for what, found in (("group", group), ("model", model)) if found is not None) or None

    def _delete_version(self, context: Context, asked: ModelName, steps: ModelDeletion) -> bool:
        from festaf.provider.models.facts import fact_of

        version = self.hook.find_version(asked)
        if version is None:
            return False
        fact = fact_of(self.hook, version, self.project)
        steps.delete_version(version)
        self.tell(context, fact.model_copy(update={"event": "deleted"}))
        return True

    def _delete_group(self, context: Context, asked: ModelName, steps: ModelDeletion) -> bool:
        from festaf.contract.model_version import ModelVersionFact

        group = self.hook.patiently(lambda: self.hook.describe_group(asked.group))
        if group is None:
            return False
        steps.delete_group(group, with_versions=self.delete_versions)
        self.tell(context, ModelVersionFact(project=self.project, model=group.name, arn=group.arn, event="deleted"))
        return True
