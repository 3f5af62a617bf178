"""An endpoint: what it serves, made from the models of its variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract import facets
from festaf.contract.endpoint import DEPLOYED_FACET
from festaf.contract.facts.told import Told
from festaf.contract.names import artifact_dataset, artifact_uri

if TYPE_CHECKING:
    from festaf.contract.endpoint import EndpointDeployed
    from festaf.contract.facts.told import Worker


def tell(deployed: EndpointDeployed, worker: Worker) -> Told:
    """Tell what serves now, and which models it was made from; one that was retired is dropped."""
    about = {DEPLOYED_FACET: facets.own("endpoint", "endpoint", deployed)}
    if deployed.owner:
        about["ownership"] = facets.dataset_ownership(deployed.owner)
    if deployed.description:
        about["documentation"] = facets.dataset_documentation(deployed.description)
    if deployed.deleted:
        about["lifecycleStateChange"] = facets.dropped()
    models = () if deployed.deleted else (variant.artifact for variant in deployed.variants)
    inputs = dict.fromkeys(artifact_uri("model", deployed.project, model) for model in models if model)
    return Told(artifact_dataset("endpoint", deployed.project, deployed.endpoint), about, {}, tuple(inputs))
