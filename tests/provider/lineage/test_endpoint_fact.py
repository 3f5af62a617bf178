from __future__ import annotations

from festaf.contract.endpoint import EndpointDeployed, ServedVariant
from festaf.contract.facts.kinds import KINDS
from festaf.contract.facts.told import Worker

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/late/3"
VARIANTS = (
    ServedVariant(name="A", model="late-0563c61524b2", model_package=PACKAGE),
    ServedVariant(name="B", model="by-hand"),
    ServedVariant(name="C", model="by-hand"),
)


def told(deleted: bool = False) -> tuple[str, dict[str, object], tuple[str, ...]]:
    fact = EndpointDeployed(
        project="nyc",
        endpoint="delay",
        action="deleted" if deleted else "updated",
        variants=VARIANTS,
        owner="team:planes",
        description="Delays",
        deleted=deleted,
    )
    found = KINDS["endpoint"].read(fact.model_dump(mode="json"), Worker())
    return f"{found.dataset.namespace}/{found.dataset.name}", dict(found.facets), found.inputs


def test_an_endpoint_is_made_from_the_models_of_its_variants() -> None:
    dataset, facets, inputs = told()
    assert dataset == "x-festaf-endpoint://nyc/delay"
    assert inputs == ("x-festaf-model://nyc/late", "x-festaf-model://nyc/by-hand")
    assert set(facets) == {"festaf_endpoint", "ownership", "documentation"}


def test_one_that_was_retired_is_dropped_and_made_from_nothing() -> None:
    _, facets, inputs = told(deleted=True)
    assert inputs == ()
    assert "lifecycleStateChange" in facets
