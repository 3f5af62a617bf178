from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.feature_set import DeleteFeatureSetOperator
from festaf.provider import errors
from tests.feature_store import BUCKET, create

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def task(**parameters: Any) -> DeleteFeatureSetOperator:
    asked = {"task_id": "delete", "feature_set": "planes", "poll_interval": 0.2, "timeout": 5}
    return DeleteFeatureSetOperator(**(asked | parameters))


def objects(aws: LocalAws) -> int:
    return int(aws.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"])


def test_one_that_is_not_there_is_a_success(aws: LocalAws, run: Run) -> None:
    assert task().execute(run.context) is False
    assert run.facts() == {}


def test_a_feature_set_goes_and_its_definition_says_so(aws: LocalAws, hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    aws.settings(delete_seconds=1)
    assert task(project="nyc").execute(run.context) is True
    assert hook.describe("planes") is None
    fact = run.facts()["x-festaf://nyc/planes/definition"]
    assert fact["deleted"] is True
    assert [feature["name"] for feature in fact["features"]] == ["tail", "seen", "seats", "delay"]


@pytest.mark.parametrize("everything", [True, False])
def test_offline_data_and_table_go_only_when_asked(
    aws: LocalAws, hook: FeatureStoreHook, run: Run, everything: bool
) -> None:
    found = create(hook, offline=True)
    hook.put_record("planes", {"tail": "N1", "seen": "2013-01-01T05:00:00Z"})
    aws.advance(60)
    found = hook.describe("planes") or found
    assert found.offline is not None
    assert found.offline.glue_table is not None
    before = objects(aws)
    assert before > 0
    assert task(delete_offline_data=everything, delete_glue_table=everything).execute(run.context) is True
    assert (objects(aws) == 0) is everything
    assert (hook.glue_table(found.offline.glue_table) is None) is everything


def test_a_deletion_that_takes_too_long_is_told(aws: LocalAws, hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    aws.settings(delete_seconds=600)
    with pytest.raises(errors.ServiceError, match="planes is still Deleting after 1 s"):
        task(timeout=1).execute(run.context)
