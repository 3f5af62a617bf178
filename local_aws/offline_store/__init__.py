"""The offline store: rows become Parquet files in S3 and a table in Glue, as the SageMaker Feature Store keeps them."""

from festaf.local_aws.offline_store.row import OfflineRow
from festaf.local_aws.offline_store.store import OfflineStore

__all__ = ["OfflineRow", "OfflineStore"]
