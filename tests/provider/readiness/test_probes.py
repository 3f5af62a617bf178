from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from festaf.provider.artifacts import Feature
from festaf.provider.artifacts.specification import FeatureSetSpecification
from festaf.provider.readiness.bounds import Bounds
from festaf.provider.readiness.probes import OfflineRows, Probes
from tests.feature_store import BUCKET, create, online_count

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws


@pytest.mark.parametrize(
    ("identifier", "moment"), [("String", "String"), ("Integral", "Fractional"), ("Fractional", "Fractional")]
)
def test_the_probe_record_is_read_back_and_leaves_nothing(
    hook: FeatureStoreHook, aws: LocalAws, identifier: str, moment: str
) -> None:
    specification = FeatureSetSpecification(
        name="planes",
        record_identifier="tail",
        event_time="seen",
        features=(Feature.of({"name": "tail", "type": identifier}), Feature.of({"name": "seen", "type": moment})),
        offline_s3_uri=f"s3://{BUCKET}/offline",
        role_arn="arn:aws:iam::123456789012:role/feature-store",
    )
    hook.create(specification.request())
    aws.advance(10)
    found = hook.describe("planes")
    assert found is not None
    assert Probes(hook, found).write_and_read_back() is None
    assert online_count(aws) == 0
    aws.advance(10)
    assert Probes(hook, found).offline_rows(Bounds()) == OfflineRows(0, None)


def test_a_record_that_aws_does_not_take_is_what_is_missing(hook: FeatureStoreHook, aws: LocalAws) -> None:
    aws.settings(create_seconds=60)
    said = Probes(hook, create(hook)).write_and_read_back()
    assert said is not None
    assert said.startswith("AWS does not take a record: PutRecord: AWS answered ValidationError")


def test_a_records_event_time_is_read(hook: FeatureStoreHook) -> None:
    found = create(hook)
    hook.put_record("planes", {"tail": "N1", "seen": "2013-01-01T05:00:00Z"})
    assert Probes(hook, found).record_moment("N1") == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert Probes(hook, found).record_moment("N2") is None


def test_a_query_that_fails_tells_why(hook: FeatureStoreHook, aws: LocalAws) -> None:
    create(hook, offline=True)
    aws.advance(10)
    found = hook.describe("planes")
    assert found is not None
    assert found.offline is not None
    assert found.offline.glue_table is not None
    hook.delete_glue_table(found.offline.glue_table)
    said = Probes(hook, found).offline_rows(Bounds())
    assert isinstance(said, str)
    assert said.startswith("SQL does not answer: ")
