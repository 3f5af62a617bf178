"""What breaks while rows are sent: whatever AWS does, the counts stay exact and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider import errors
from festaf.provider.ingest.ingest import Ingest
from festaf.provider.ingest.source import open_source
from tests.feature_store import LOG, WRITE, create, needs_batches, online_count, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws

SEND = """
import logging, sys
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.provider.ingest.ingest import Ingest
from festaf.provider.ingest.source import open_source
hook = FeatureStoreHook()
print("ready", flush=True)
Ingest(
    feature_set=hook.describe("planes"), source=open_source(sys.argv[1], None, hook), hook=hook,
    log=logging.getLogger(), work_dir=sys.argv[2],
).run()
"""


def ingest(hook: FeatureStoreHook, into: FeatureSet, source: Any, work: Path, **more: Any) -> Ingest:
    opened = open_source(source, None, hook)
    return Ingest(
        feature_set=into, source=opened, hook=hook, log=LOG, work_dir=str(work), **({"retry_seconds": 30.0} | more)
    )


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("throttle", 20),
        ("error", 10),
        ("reset", 10),
        ("lost_reply", 10),
        pytest.param("partial", 10, marks=needs_batches),
    ],
)
def test_a_passing_fault_costs_no_row_and_doubles_none(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path, kind: str, count: int
) -> None:
    aws.fault(kind=kind, operation=WRITE, count=count)
    totals = ingest(hook, planes, parquet(tmp_path / "planes.parquet", 1000), tmp_path / "work").run()
    assert (totals.read, totals.accepted, totals.rejected) == (1000, 1000, 0)
    assert online_count(aws) == 1000


def test_a_fault_that_lasts_fails_the_task_and_the_next_run_sends_what_is_missing(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path
) -> None:
    source = parquet(tmp_path / "planes.parquet", 500)
    aws.fault(kind="error", operation=WRITE, count=None)
    with pytest.raises(errors.ServiceError, match=f"{WRITE}: AWS answered InternalFailure"):
        ingest(hook, planes, source, tmp_path / "work", retry_seconds=0.5).run()
    aws.clear_faults()
    totals = ingest(hook, planes, source, tmp_path / "work").run()
    assert totals.accepted == online_count(aws) == 500


@needs_batches
def test_a_service_without_batches_gets_rows_one_by_one(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path
) -> None:
    engine = ingest(hook, planes, parquet(tmp_path / "planes.parquet", 60), tmp_path / "work")
    client = hook.client

    def without_batches(service: str, **settings: Any) -> Any:
        made = client(service, **settings)
        made.meta.events.register("before-call.*.BatchWriteRecord", _deny)
        return made

    hook.client = without_batches  # type: ignore[method-assign]  # AWS refuses on purpose.
    assert engine.run().accepted == 60
    assert aws.stats()["PutRecord"] == 60
    assert online_count(aws) == 60


def _deny(**_: Any) -> None:
    from botocore.exceptions import ClientError

    refusal: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to BatchWriteRecord"}}
    raise ClientError(refusal, "BatchWriteRecord")


@needs_batches
def test_a_feature_set_that_vanished_is_told_and_no_row_is_called_bad(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path
) -> None:
    hook.delete("planes")
    aws.advance(60)
    with pytest.raises(errors.RefusedError, match="BatchWriteRecord: AWS answered ResourceNotFound"):
        ingest(hook, planes, parquet(tmp_path / "planes.parquet", 60), tmp_path / "work", retry_seconds=0.5).run()
    assert not list((tmp_path / "work").rglob("rejected.jsonl"))


def test_offline_rows_and_online_records_agree_with_what_was_accepted(
    hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path
) -> None:
    from festaf.provider.readiness.bounds import Bounds
    from festaf.provider.readiness.probes import OfflineRows, Probes

    create(hook, offline=True)
    aws.advance(10)
    both = hook.describe("planes")
    assert both is not None
    source = parquet(tmp_path / "planes.parquet", 700, tail=[f"N{n}" if n % 70 else None for n in range(700)])
    totals = ingest(hook, both, source, tmp_path / "work", max_rejected_rows=10).run()
    assert (totals.read, totals.accepted, totals.rejected) == (700, 690, 10)
    assert online_count(aws) == 690
    deadline = time.monotonic() + 20
    seen = Probes(hook, both).offline_rows(Bounds())
    while not (isinstance(seen, OfflineRows) and seen.count >= 690) and time.monotonic() < deadline:
        aws.advance(5)
        time.sleep(0.3)
        seen = Probes(hook, both).offline_rows(Bounds())
    assert seen == OfflineRows(690, totals.last_event_time)


def test_offline_only_rows_go_to_the_offline_store_alone(hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path) -> None:
    create(hook, offline=True)
    aws.advance(10)
    both = hook.describe("planes")
    assert both is not None
    source = parquet(tmp_path / "planes.parquet", 50)
    assert ingest(hook, both, source, tmp_path / "work", target_stores=["OfflineStore"]).run().accepted == 50
    assert online_count(aws) == 0


@needs_batches
def test_a_killed_process_leaves_a_ledger_and_the_next_run_sends_only_the_rest(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, tmp_path: Path
) -> None:
    source = parquet(tmp_path / "planes.parquet", 4000)
    aws.fault(kind="slow", operation="BatchWriteRecord", seconds=0.02, count=None)
    command = [sys.executable, "-c", SEND, source, str(tmp_path / "work")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    deadline = time.monotonic() + 60
    while aws.stats().get("BatchWriteRecord", 0) < 40 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    aws.clear_faults()
    sent = aws.stats()["BatchWriteRecord"]
    assert 40 <= sent < 160
    totals = ingest(hook, planes, source, tmp_path / "work").run()
    assert (totals.read, totals.accepted, totals.rejected) == (4000, 4000, 0)
    assert online_count(aws) == 4000
    assert totals.resumed > 0
    in_flight = 16  # Calls that were answered but not noted yet count as in flight: four threads, four calls each.
    assert aws.stats()["BatchWriteRecord"] <= 160 + in_flight
    assert totals.resumed % 25 == 0
    assert totals.resumed // 25 >= sent - in_flight
