"""What our operators say to Airflow's own OpenLineage provider, so that every back end sees what our registry sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Asset


class TellsLineage:
    """Gives an operator the methods that Airflow's OpenLineage provider looks for.

    They say what the operator attached to its asset events, in the words of our own listener. Without the provider
    they say nothing.
    """

    tells_lineage_itself = True
    """Our listener reads the asset events, and has no need to ask."""

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Tell what a task that succeeded read and wrote."""
        return _lineage(task_instance, "COMPLETE")

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Tell what a task that failed had written until then."""
        return _lineage(task_instance, "FAIL")


def asset_dataset(asset: Asset, lineage_context: object = None) -> Dataset:
    """Name an asset of ours as a dataset, for tasks whose inlets and outlets are all that the provider knows.

    :param lineage_context: the hook that reported the asset, if one did
    """
    from openlineage.client.event_v2 import Dataset

    from festaf.contract.names import dataset_name

    name = dataset_name(str(asset.uri).removesuffix("/definition"))
    return Dataset(namespace=name.namespace, name=name.name)


def _lineage(task_instance: Any, kind: str) -> OperatorLineage[Any, Any] | None:
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client.event_v2 import InputDataset, OutputDataset
    except ImportError:
        return None
    from festaf.contract.openlineage import DAG_FACET, TASK_FACET, EventType
    from festaf.provider.lineage.settings import load_settings
    from festaf.provider.lineage.task_event import Ended, TaskCapture

    state = getattr(task_instance.state, "value", task_instance.state)
    event = TaskCapture(task_instance, load_settings()).task_event(Ended(EventType(kind), str(state)))
    # The facets are plain JSON, with ``_producer`` and ``_schemaURL`` as the client's own classes would write them.
    inputs: list[Any] = [
        ((item.namespace, item.name), {"facets": item.facets, "inputFacets": item.input_facets})
        for item in event.inputs
    ]
    outputs: list[Any] = [
        ((item.namespace, item.name), {"facets": item.facets, "outputFacets": item.output_facets})
        for item in event.outputs
    ]
    return OperatorLineage(
        inputs=[InputDataset(*name, **facets) for name, facets in inputs],
        outputs=[OutputDataset(*name, **facets) for name, facets in outputs],
        run_facets={TASK_FACET: event.run.facets[TASK_FACET]},
        job_facets={DAG_FACET: event.job.facets[DAG_FACET]},
    )
