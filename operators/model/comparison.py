"""Compare a challenger with the champion, and branch on what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.standard.operators.branch import BranchMixIn

from festaf.operators.model.task import ModelTask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from festaf.provider.models.comparison import Contender
    from festaf.provider.models.evaluation import Evaluation
    from festaf.provider.models.name import ModelName
    from festaf.provider.models.record import ModelVersion, VersionSummary


class CompareModelsOperator(ModelTask, BranchMixIn):
    """Compare a challenger with the champion, on the same held-out data; branch on what comes out, or return it.

    The champion is the newest approved version besides the challenger; without one the challenger wins. Metrics come
    from ``challenger_metrics`` and ``champion_metrics``, or ``evaluate``, or what was registered with the versions. Two
    versions that were measured on different data are not compared: the task fails and says on what each was.

    With ``if_better`` or ``if_not_better`` the task is a branch: directly downstream tasks that are not named are
    skipped, all of them when nothing is named for what came out. Without both it only returns the verdict.

    :param model: the model package group (templated)
    :param challenger: version or ARN of the challenger; None takes the newest version (templated)
    :param champion: version or ARN of the champion; None takes the newest approved version (templated)
    :param metric: name of the metric (templated)
    :param direction: minimize for an error, maximize for a score (templated)
    :param margin: by how much the challenger must be better at least, in the metric's unit; equal is never better
    :param challenger_metrics: metrics by name, or the S3 URI of an evaluation, such as a batch job wrote (templated)
    :param champion_metrics: the same of the champion (templated)
    :param evaluate: called as ``evaluate(version, held_out)`` for each, with a ModelVersion and ``held_out``; returns
        metrics by name or the S3 URI of an evaluation
    :param held_out: the data that ``evaluate`` or given metrics measure on: a URI, ``{"uri": ..., "sha256": ...}``, or
        what BuildTrainingSetOperator returned (templated)
    :param if_better: ids of the tasks or task groups to follow when the challenger is better
    :param if_not_better: the same when it is not
    :return: the verdict, as a dict: ``better``, ``reason``, ``challenger_value``, ``champion_value`` and more
    """

    template_fields: Sequence[str] = (
        *ModelTask.template_fields,
        "challenger",
        "champion",
        "metric",
        "direction",
        "challenger_metrics",
        "champion_metrics",
        "held_out",
    )
    inherits_from_skipmixin = True

    def __init__(
        self,
        *,
        metric: str,
        direction: Literal["minimize", "maximize"],
        margin: float = 0.0,
        challenger: int | str | None = None,
        champion: int | str | None = None,
        challenger_metrics: Mapping[str, Any] | str | None = None,
        champion_metrics: Mapping[str, Any] | str | None = None,
        evaluate: Callable[[ModelVersion, str | None], Mapping[str, Any] | str] | None = None,
        held_out: Mapping[str, Any] | str | None = None,
        if_better: str | Sequence[str] | None = None,
        if_not_better: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metric = metric
        self.direction = direction
        self.margin = margin
        self.challenger = challenger
        self.champion = champion
        self.challenger_metrics = challenger_metrics
        self.champion_metrics = champion_metrics
        self.evaluate = evaluate
        self.held_out = held_out
        self.if_better = if_better
        self.if_not_better = if_not_better

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, and follow the branch."""
        from festaf.provider.models.comparison import Comparison

        comparison = Comparison(self.metric, self.direction, float(self.margin))
        comparison.check()
        challenger, champion = self._contenders()
        verdict = comparison.judge(challenger, champion)
        self.log.info("%s: %s", "Better" if verdict.better else "Not better", verdict.reason)
        decided = verdict.as_dict()
        if self.if_better is not None or self.if_not_better is not None:
            # Airflow ends a task that skips others by an exception, which would lose what it returns.
            context["ti"].xcom_push(key="return_value", value=decided)
            self.do_branch(context, self.if_better if verdict.better else self.if_not_better)
        return decided

    def _contenders(self) -> tuple[Contender, Contender | None]:
        from festaf.provider.errors import InputError

        if self.evaluate is not None and not self.held_out:
            raise InputError("evaluate needs held_out: the data that both models are measured on")
        challenger = self._version(self.challenger)
        if challenger is None:
            raise InputError(f"Model {self.model} has no version to compare in {self.hook.place}")
        champion = self._champion(challenger)
        found = self._measured(challenger, self.challenger_metrics)
        return found, None if champion is None else self._measured(champion, self.champion_metrics)

    def _champion(self, challenger: ModelVersion) -> ModelVersion | None:
        if self.champion not in {None, ""}:
            return self._version(self.champion)
        # A champion that was approved a moment ago must not be overlooked: the challenger would win unbeaten.
        newest = self.hook.patiently(lambda: self._newest_approved(challenger))
        return self.hook.find_package(newest.arn) if newest else None

    def _newest_approved(self, challenger: ModelVersion) -> VersionSummary | None:
        approved = self.hook.versions(self._named(None).group, approval="Approved")
        others = (item for item in approved if item.number != challenger.number)
        return max(others, key=lambda item: item.number, default=None)

    def _version(self, version: int | str | None) -> ModelVersion | None:
        """Find a version that was asked for, or the newest; it must be registered.

        :raises InputError: there is no such version
        :raises FailedArtifactError: AWS gave it up
        """
        from festaf.provider.errors import InputError, ServiceError
        from festaf.provider.models.ladder import registered

        asked = self._named(version)
        found = self.hook.find_version(asked)
        if found is None:
            if asked.version is None:
                return None
            raise InputError(f"There is no model {asked.label} in {self.hook.place}")
        if missing := registered(found, found.failure_reason):
            raise ServiceError(f"Model {found.name} cannot be compared yet: {'; '.join(missing)}")
        return found

    def _named(self, version: int | str | None) -> ModelName:
        from festaf.provider.models.name import ModelName

        if isinstance(version, str) and version.startswith("arn:"):
            return ModelName.of(version)
        return ModelName.of(self.model, version)

    def _measured(self, version: ModelVersion, given: Mapping[str, Any] | str | None) -> Contender:
        from festaf.provider.models.comparison import Contender

        return Contender(version.name, version.number, self._evaluation(version, given))

    def _evaluation(self, version: ModelVersion, given: Mapping[str, Any] | str | None) -> Evaluation:
        """Take the metrics that were given, or measure, or read what was registered."""
        from dataclasses import replace

        from festaf.provider.models.evaluation import known_evaluation
        from festaf.provider.models.sources import evaluation_of

        held_out = evaluation_of(None, self.held_out, self.hook)
        if given:
            found = evaluation_of(given, None, self.hook)
        elif self.evaluate is not None:
            self.log.info("Measuring model %s on %s", version.name, held_out.data)
            found = evaluation_of(self.evaluate(version, held_out.held_out), None, self.hook)
        else:
            return known_evaluation(self.hook, version)
        if found.held_out or found.sha256:
            return found
        return replace(found, held_out=held_out.held_out, sha256=held_out.sha256, rows=held_out.rows)
