"""What can be read of a feature set, counted in both stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.artifacts import FeatureSet

if TYPE_CHECKING:
    from festaf.provider.artifacts import GlueTable
    from festaf.provider.hooks.feature_store import FeatureStoreHook


def table(feature_set: FeatureSet) -> GlueTable:
    """Give the table through which SQL sees a feature set.

    :raises LookupError: it has none
    """
    if feature_set.offline is None or feature_set.offline.glue_table is None:
        raise LookupError(f"the feature set {feature_set.name!r} has no offline table")
    return feature_set.offline.glue_table


def load(name: str) -> FeatureSet:
    """Load a feature set that must be there.

    :raises LookupError: it is not
    """
    feature_set = FeatureSet.load(name)
    if feature_set is None:
        raise LookupError(f"there is no feature set {name!r}")
    return feature_set


def visible(name: str, bucket: str) -> dict[str, int]:
    """Count rows and different identifiers by SQL in the offline store, and records in the online store.

    :param bucket: where Athena may put its results
    :raises LookupError: the feature set does not exist, or has no offline table
    """
    from festaf.provider.hooks.feature_store import FeatureStoreHook

    feature_set = load(name)
    glue = table(feature_set)
    rows, identifiers = _ask(
        f'SELECT count(*), count(DISTINCT "{feature_set.record_identifier}") FROM "{glue.database}"."{glue.table}" '
        "WHERE NOT is_deleted",
        f"s3://{bucket}/counts",
    )
    return {"offline": rows, "identifiers": identifiers, "online": _online(FeatureStoreHook(), name)}


def _ask(query: str, output_location: str) -> list[int]:
    from airflow.providers.amazon.aws.hooks.athena import AthenaHook

    athena = AthenaHook(log_query=False)
    execution = athena.run_query(query, {}, {"OutputLocation": output_location})
    state = athena.poll_query_status(execution, sleep_time=1)
    if state != "SUCCEEDED":
        raise RuntimeError(f"Athena did not count the rows: {athena.get_state_change_reason(execution)}")
    answer: Any = athena.get_query_results(execution)
    return [int(cell["VarCharValue"]) for cell in answer["ResultSet"]["Rows"][1]["Data"]]


def _online(hook: FeatureStoreHook, name: str) -> int:
    runtime = hook.client("sagemaker-featurestore-runtime", parameter_validation=False)
    records, page = 0, runtime.list_records(FeatureGroupName=name, MaxResults=100)
    records += len(page["RecordIdentifiers"])
    while token := page.get("NextToken"):
        page = runtime.list_records(FeatureGroupName=name, MaxResults=100, NextToken=token)
        records += len(page["RecordIdentifiers"])
    return records
