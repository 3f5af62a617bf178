"""Write what the registry knows back into SageMaker, so that Studio shows it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.operators.task import ArtifactTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from festaf.provider.hooks.feature_store import FeatureStoreHook


class WriteBackLineageOperator(ArtifactTask):
    """Write owner, purpose, DAG, run and code of features into SageMaker, as metadata and as lineage.

    Each feature's description and up to 25 parameters (``festaf:owner``, ``festaf:purpose``, ``festaf:dag``,
    ``festaf:run``...) are set; other people's parameters stay. Artifacts stand for the feature set, its sources, the
    code, and the training sets, models and endpoints made from it, an action for the task run that wrote it. What
    did not fit is in the log and in the result. Running again changes nothing that is as it should be.

    :param feature_sets: names of feature sets; one name or a list (templated)
    :param registry_conn_id: connection to the registry (templated)
    :param metadata: whether to write features' metadata (UpdateFeatureMetadata)
    :param lineage: whether to write artifacts, actions and associations
    :param timeout: seconds after which the task gives up
    :return: a list of what was done, one mapping for each feature set
    """

    template_fields: Sequence[str] = ("feature_sets", "registry_conn_id", *ArtifactTask.template_fields)

    def __init__(
        self,
        *,
        feature_sets: str | Sequence[str],
        registry_conn_id: str = "festaf_default",
        metadata: bool = True,
        lineage: bool = True,
        timeout: float = 600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.feature_sets = feature_sets
        self.registry_conn_id = registry_conn_id
        self.metadata = metadata
        self.lineage = lineage
        self.timeout = timeout

    @cached_property
    def hook(self) -> FeatureStoreHook:
        """Reach AWS."""
        from festaf.provider.hooks.feature_store import FeatureStoreHook

        return self.make_hook(FeatureStoreHook)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Ask the registry and write."""
        from dataclasses import asdict

        from festaf.provider.endpoints.patience import Patience
        from festaf.provider.hooks.registry import RegistryHook
        from festaf.provider.write_back.writing import WriteBack

        names = [self.feature_sets] if isinstance(self.feature_sets, str) else list(self.feature_sets)
        done = []
        with RegistryHook(self.registry_conn_id).get_conn() as registry:
            patience = Patience(self.log, float(self.timeout))
            work = WriteBack(registry, self.hook, self.log, patience, self.metadata, self.lineage)
            for name in names:
                written = work.write(self.project, name)
                self.log.info(
                    "%s: metadata of %d of %d features changed, %d of %d entities and %d of %d associations made",
                    name,
                    len(written.described),
                    written.features,
                    written.entities_made,
                    written.entities,
                    written.associations_made,
                    written.associations,
                )
                done.append(asdict(written))
        return done
