from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.provider import errors
from festaf.provider.hooks.feature_store import FeatureStoreHook
from tests.feature_store import create

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws.server import LocalAws


def test_what_is_not_there_is_none(hook: FeatureStoreHook) -> None:
    from festaf.provider.artifacts import GlueTable

    assert hook.describe("planes") is None
    assert hook.glue_table(GlueTable("AwsDataCatalog", "raw", "planes")) is None
    assert hook.delete("planes") is False


def test_a_feature_set_with_more_features_than_a_page_is_whole(hook: FeatureStoreHook) -> None:
    names = ["id", "moment", *(f"feature{number}" for number in range(300))]
    hook.create(
        {
            "FeatureGroupName": "wide",
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "moment",
            "FeatureDefinitions": [{"FeatureName": name, "FeatureType": "String"} for name in names],
            "OnlineStoreConfig": {"EnableOnlineStore": True},
        }
    )
    found = hook.describe("wide")
    assert found is not None
    assert [feature.name for feature in found.features] == names


def test_summaries_go_through_every_page(hook: FeatureStoreHook, aws: LocalAws) -> None:
    aws.settings(max_feature_groups=200)
    for number in range(101):
        create(hook, f"planes{number}")
    assert len(list(hook.summaries())) == 101
    assert [summary.name for summary in hook.summaries("planes99")] == ["planes99"]


@pytest.mark.parametrize("kind", ["throttle", "error"])
def test_a_fault_that_lasts_may_be_retried_and_says_what_failed(
    hook: FeatureStoreHook, aws: LocalAws, kind: str
) -> None:
    aws.fault(kind=kind, operation="DescribeFeatureGroup", count=None)
    with pytest.raises(errors.ServiceError, match="DescribeFeatureGroup: AWS answered"):
        hook.describe("planes")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every other place where boto3 looks for a region or credentials."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ('{"conn_type": "aws", "login": "a", "password": "b"}', "No AWS region is known from connection 'lab'"),
        (
            '{"conn_type": "aws", "extra": {"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:9"}}',
            "No usable AWS credentials come from connection 'lab'",
        ),
        (
            '{"conn_type": "aws", "login": "a", "password": "b", '
            '"extra": {"region_name": "us-east-1", "endpoint_url": "nonsense"}}',
            "endpoint_url of connection 'lab' is no URL",
        ),
    ],
)
@pytest.mark.usefixtures("nowhere")
def test_a_connection_that_cannot_work_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, connection: str, said: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAB", connection)
    with pytest.raises(errors.AccessError) as caught:
        FeatureStoreHook(aws_conn_id="lab").describe("planes")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("nowhere")
def test_an_endpoint_where_nothing_listens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = '{"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:9"}'
    monkeypatch.setenv("AIRFLOW_CONN_LAB", f'{{"conn_type": "aws", "login": "a", "password": "b", "extra": {extra}}}')
    quick = {"retries": {"total_max_attempts": 1}}
    with pytest.raises(errors.ServiceError, match=r"http://127.0.0.1:9/ does not answer .* connection 'lab' right\?"):
        FeatureStoreHook(aws_conn_id="lab", config=quick).describe("planes")


def test_a_connection_that_is_not_there_is_an_error_and_not_an_empty_one() -> None:
    with pytest.raises(errors.AccessError, match="There is no Airflow connection 'nope'"):
        FeatureStoreHook(aws_conn_id="nope", region_name="us-east-1").describe("planes")
