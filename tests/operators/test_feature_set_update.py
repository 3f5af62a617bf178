"""The operator that changes feature sets in place, on the local AWS."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.feature_set import UpdateFeatureSetOperator
from festaf.provider.errors import FailedArtifactError, InputError, RefusedError, ServiceError, SpecificationError
from tests.feature_store import create

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

WIND = {"name": "wind", "type": "Fractional", "description": "Speed of the wind, knots"}


def update(**more: Any) -> UpdateFeatureSetOperator:
    return UpdateFeatureSetOperator(
        task_id="update", feature_set="planes", project="nyc", **({"poll_interval": 0.05, "timeout": 20} | more)
    )


def test_features_are_added_with_their_columns_and_descriptions(hook: FeatureStoreHook, run: Run) -> None:
    create(hook, offline=True)
    definition = update(features=[WIND], parameters={"wind": {"unit": "kt"}}).execute(run.context)
    assert [feature["name"] for feature in definition["features"]] == ["tail", "seen", "seats", "delay", "wind"]
    found = hook.describe("planes")
    assert found is not None
    assert found.offline is not None
    assert found.offline.glue_table is not None
    table = hook.glue_table(found.offline.glue_table)
    assert table is not None
    assert "wind" in [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    metadata = hook.feature_metadata("planes", "wind")
    assert (metadata.description, dict(metadata.parameters)) == ("Speed of the wind, knots", {"unit": "kt"})
    assert run.facts()["x-festaf://nyc/planes/definition"] == definition


def test_the_same_again_asks_aws_for_nothing(aws: LocalAws, hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    wanted: dict[str, Any] = {"features": [WIND], "ttl": timedelta(days=7), "tags": {"team": "sky"}}
    update(**wanted).execute(run.context)
    before = aws.stats()
    update(**wanted | {"ttl": {"Unit": "Weeks", "Value": 1}}).execute(run.context)
    after = aws.stats()
    for operation in ("UpdateFeatureGroup", "UpdateFeatureMetadata", "AddTags"):
        name = next(name for name in after if name.endswith(operation))
        assert after[name] == before[name]


def test_more_than_a_hundred_features_are_added_in_several_requests(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    definition = update(features=[{"name": f"f{number}", "type": "Integral"} for number in range(130)]).execute(
        run.context
    )
    assert len(definition["features"]) == 134


def test_online_store_and_throughput_are_changed_one_after_another(
    aws: LocalAws, hook: FeatureStoreHook, run: Run
) -> None:
    create(hook)
    aws.settings(update_seconds=0.3)
    units = {"ProvisionedReadCapacityUnits": 10, "ProvisionedWriteCapacityUnits": 5}
    throughput = {"ThroughputMode": "Provisioned", **units}
    update(features=[WIND], ttl=timedelta(days=2), throughput=throughput).execute(run.context)
    found = hook.describe("planes")
    assert found is not None
    assert found.online is not None
    assert found.online.ttl == {"Unit": "Days", "Value": 2}
    assert found.throughput == throughput
    update(remove_ttl=True).execute(run.context)
    again = hook.describe("planes")
    assert again is not None
    assert again.online is not None
    assert again.online.ttl is None


def test_a_second_switch_to_on_demand_within_a_day_is_refused_with_a_way(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    provisioned = {
        "ThroughputMode": "Provisioned",
        "ProvisionedReadCapacityUnits": 1,
        "ProvisionedWriteCapacityUnits": 1,
    }
    for throughput in (provisioned, {"ThroughputMode": "OnDemand"}, provisioned):
        update(throughput=throughput).execute(run.context)
    with pytest.raises(RefusedError, match="once in 24 hours: run again later, or keep Provisioned"):
        update(throughput={"ThroughputMode": "OnDemand"}).execute(run.context)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"features": [{"name": "seats", "type": "String"}]}, "seats: wanted String, found Integral.*seats_2"),
        ({"features": [{"name": "tail"}], "complete": True}, "feature delay: stands and is not asked for"),
        ({"features": [{"name": "new"}]}, "feature new: has no type"),
        (
            {"features": [{"name": "v", "type": "Fractional", "collection": "List"}]},
            "needs an online store .* InMemory",
        ),
        ({"record_identifier": "seats"}, "record_identifier: wanted seats, found tail; AWS never changes it"),
        ({"event_time": "delay"}, "event_time: wanted delay, found seen"),
        ({"online": False}, "online: wanted False, found True; AWS adds and removes no store"),
        ({"offline_s3_uri": "s3://lake/x"}, "offline_s3_uri: wanted s3://lake/x, found no offline store"),
        ({"storage_type": "InMemory"}, "AWS only goes from Standard to Standard_V2"),
        ({"description": "other"}, "description: wanted other, found nothing"),
        ({"parameters": {"nothing": {"a": "b"}}}, "there is no feature nothing"),
        (
            {"storage_type": "Standard_V2", "throughput": {"ThroughputMode": "Provisioned"}},
            "Provisioned needs the storage type Standard",
        ),
    ],
)
def test_what_aws_cannot_do_is_refused_with_a_way_and_nothing_is_changed(
    asked: dict[str, Any], said: str, hook: FeatureStoreHook, run: Run
) -> None:
    before = create(hook)
    more = {"features": [WIND, *asked.get("features", ())]}
    with pytest.raises(SpecificationError, match=said):
        update(**asked | more).execute(run.context)
    assert hook.describe("planes") == before


def test_a_ttl_without_an_online_store_is_refused(hook: FeatureStoreHook, run: Run) -> None:
    create(hook, offline=True, online=False)
    with pytest.raises(SpecificationError, match="no online store whose records could expire"):
        update(ttl=timedelta(days=1)).execute(run.context)


@pytest.mark.usefixtures("aws")
def test_a_feature_set_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(InputError, match=r"no feature set planes.*CreateFeatureSetOperator"):
        update(features=[WIND]).execute(run.context)


def test_a_failed_update_fails_with_awss_reason_and_may_be_tried_again(
    aws: LocalAws, hook: FeatureStoreHook, run: Run
) -> None:
    create(hook)
    for _ in range(2):
        aws.fault(kind="fail_update", resource="feature-group", name="planes", reason="The stars stand ill")
        with pytest.raises(FailedArtifactError, match="Failed: The stars stand ill"):
            update(features=[WIND]).execute(run.context)
        aws.clear_faults()
    update(features=[WIND]).execute(run.context)


@pytest.mark.parametrize("kind", ["throttle", "error", "reset", "lost_reply"])
def test_a_fault_of_the_request_adds_the_features_once(
    kind: str, aws: LocalAws, hook: FeatureStoreHook, run: Run
) -> None:
    create(hook)
    aws.settings(update_seconds=0.3)
    aws.fault(operation="UpdateFeatureGroup", kind=kind, count=2)
    definition = update(features=[WIND]).execute(run.context)
    assert [feature["name"] for feature in definition["features"]].count("wind") == 1


def test_anothers_update_is_waited_for(aws: LocalAws, hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    aws.settings(update_seconds=0.5)
    hook.update({"FeatureGroupName": "planes", "FeatureAdditions": [{"FeatureName": "other", "FeatureType": "String"}]})
    definition = update(features=[WIND]).execute(run.context)
    assert [feature["name"] for feature in definition["features"]][-2:] == ["other", "wind"]


def test_an_update_that_never_ends_fails_at_the_deadline_and_is_taken_over_later(
    aws: LocalAws, hook: FeatureStoreHook, run: Run
) -> None:
    create(hook)
    aws.settings(update_seconds=3600)
    with pytest.raises(ServiceError, match="InProgress, after 0 s"):
        update(features=[WIND], timeout=0.3).execute(run.context)
    aws.advance(3600)
    definition = update(features=[WIND]).execute(run.context)
    assert definition["features"][-1]["name"] == "wind"
