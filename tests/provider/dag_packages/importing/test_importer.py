from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from festaf.contract.dag_inspection import ConnectionNeed, VariableNeed
from festaf.contract.dag_package import Needs, PackageParameter, Requires
from festaf.provider.dag_packages.errors import (
    LockError,
    PackageError,
    QuarantinedError,
    TargetError,
    UntrustedPackageError,
)
from festaf.provider.dag_packages.importing.importer import Importer, remove, roll_back
from festaf.provider.dag_packages.importing.lock import read_lock
from festaf.provider.dag_packages.importing.state import states
from festaf.sharing.signature import new_key, public_key
from tests.provider.dag_packages.workshop import KEY

if TYPE_CHECKING:
    from tests.provider.dag_packages.workshop import Workshop


def test_an_import_locks_the_digest_and_the_dags(workshop: Workshop) -> None:
    digest = workshop.publish()
    locked = workshop.take()
    assert read_lock(workshop.lock).find(workshop.package) == locked
    assert (locked.version, locked.digest, locked.dag_ids) == ("1.4.0", digest, ("sales",))
    assert locked.bundle_version == f"1.4.0-{digest[:32]}"


def test_a_plan_writes_nothing(workshop: Workshop) -> None:
    workshop.publish()
    workshop.plan()
    assert not workshop.lock.exists()


def test_the_same_import_again_changes_nothing(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    before = workshop.lock.read_bytes()
    workshop.moment = datetime(2026, 11, 27, tzinfo=UTC)
    assert workshop.plan().changes_nothing
    workshop.take()
    assert workshop.lock.read_bytes() == before


def test_everything_that_is_lacking_is_said_at_once_with_its_cure(workshop: Workshop) -> None:
    workshop.publish(
        requires=Requires(airflow=">=9", packages=("pandas>=99", "missing-thing"), plugins=("clock",)),
        needs=Needs(
            connections=(ConnectionNeed(conn_id="warehouse", conn_type="postgres"),),
            variables=(VariableNeed(key="region"), VariableNeed(key="optional", has_default=True)),
            pools=("heavy", "default_pool"),
            environment=("HOME_OF_DATA",),
        ),
    )
    workshop.room.installed["pandas"] = "2.2.0"
    with pytest.raises(TargetError) as caught:
        workshop.take()
    assert {(lack.kind, lack.name) for lack in caught.value.lacking} == {
        ("airflow", ">=9"),
        ("package", "pandas"),
        ("package", "missing-thing"),
        ("plugin", "clock"),
        ("connection", "warehouse"),
        ("variable", "region"),
        ("pool", "heavy"),
        ("environment", "HOME_OF_DATA"),
    }
    said = str(caught.value)
    assert "airflow connections add warehouse --conn-type postgres" in said
    assert "airflow variables set region" in said
    assert "pip install 'pandas>=99'" in said
    assert not workshop.lock.exists()


def test_what_is_lacking_may_be_passed_over(workshop: Workshop) -> None:
    workshop.publish(needs=Needs(pools=("heavy",)))
    plan = workshop.plan(lacking=True)
    assert [lack.name for lack in plan.lacking] == ["heavy"]


def test_what_cannot_be_told_is_said_and_stops_nothing(workshop: Workshop) -> None:
    workshop.publish(needs=Needs(pools=("heavy",)))
    workshop.room.pools = None
    assert [lack.kind for lack in workshop.plan().lacking] == ["unknown"]


def test_a_dag_of_another_bundle_is_never_taken_over(workshop: Workshop) -> None:
    workshop.publish()
    workshop.room.bundles["sales"] = "dags-folder"
    with pytest.raises(TargetError, match="'dags-folder' defines a DAG 'sales' already"):
        workshop.take(lacking=True)


def test_a_dag_whose_id_is_taken_comes_in_under_another(workshop: Workshop) -> None:
    workshop.publish()
    workshop.room.bundles["sales"] = "dags-folder"
    with pytest.raises(TargetError, match="--rename sales=<another id>"):
        workshop.take()
    locked = workshop.take(renamed={"sales": "acme_sales"})
    assert (locked.dag_ids, locked.renamed) == (("acme_sales",), {"sales": "acme_sales"})


def test_a_name_stays_through_upgrades_until_it_is_taken_back(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take(renamed={"sales": "acme_sales"})
    workshop.publish("1.5.0")
    assert workshop.take().dag_ids == ("acme_sales",)
    back = workshop.take(renamed={"sales": "sales"})
    assert (back.dag_ids, back.renamed) == (("sales",), {})


@pytest.mark.parametrize(
    ("renamed", "reason"),
    [
        ({"payroll": "ours"}, "there is no DAG 'payroll'; there are: sales"),
        ({"sales": "our sales"}, "'our sales' is no DAG id"),
        ({"sales": "s" * 251}, "is no DAG id"),
        ({"sales": ""}, "'' is no DAG id"),
    ],
)
def test_a_renaming_that_cannot_be_is_refused(workshop: Workshop, renamed: dict[str, str], reason: str) -> None:
    workshop.publish()
    with pytest.raises(TargetError, match=reason):
        workshop.take(renamed=renamed)
    assert not workshop.lock.exists()


def test_a_dag_that_asks_which_one_is_wanted_keeps_its_name(workshop: Workshop) -> None:
    asking = b"from airflow.sdk import get_parsing_context\nget_parsing_context()\n"
    workshop.publish(files={"asking.py": asking})
    with pytest.raises(TargetError, match=r"asking.py asks Airflow which DAG is wanted"):
        workshop.take(renamed={"sales": "acme_sales"})


def test_a_dag_id_of_another_package_is_never_taken_over(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    workshop.namespace += "-twin"
    workshop.publish()
    with pytest.raises(LockError, match="the DAG 'sales' stands there twice"):
        workshop.take()


def test_an_upgrade_and_a_rollback_keep_the_history(workshop: Workshop) -> None:
    first, second = workshop.publish("1.0.0"), workshop.publish("1.1.0")
    workshop.take("1.0.0")
    assert workshop.take().digest == second
    before, after = roll_back(workshop.lock, workshop.package, None, workshop.moment)
    assert (before.digest, after.digest) == (second, first)
    assert [past.version for past in after.history] == ["1.1.0"]
    assert roll_back(workshop.lock, workshop.package, "1.1.0", workshop.moment)[1].digest == second


def test_an_upgrade_tells_what_differs(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.take()
    assert workshop.plan().diff is None
    workshop.publish("1.1.0", summary="Totals of a week")
    diff = workshop.plan().diff
    assert diff is not None
    assert [file.path for file in diff.files] == ["version.txt"]


def test_a_rollback_to_what_never_was_is_refused(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    with pytest.raises(PackageError, match=r"before 1\.4\.0 was nothing"):
        roll_back(workshop.lock, workshop.package, None, workshop.moment)


def test_a_removed_package_is_gone(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    remove(workshop.lock, workshop.package)
    assert read_lock(workshop.lock).packages == ()
    with pytest.raises(PackageError, match="is not imported here"):
        remove(workshop.lock, workshop.package)


def test_a_yanked_version_is_not_chosen_anew_and_stays_with_those_who_have_it(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    locked = workshop.take("1.1.0")
    workshop.client.yank(workshop.namespace, "sales", "1.1.0", "wrong sums")
    assert read_lock(workshop.lock).find(workshop.package) == locked
    [state] = states([locked], lambda: workshop.client)
    assert state.said == "yanked: wrong sums"
    remove(workshop.lock, workshop.package)
    workshop.client = type(workshop.client)(workshop.client.url)
    assert workshop.take().version == "1.0.0"
    with pytest.raises(UntrustedPackageError, match=r"1\.1\.0 is yanked: wrong sums"):
        workshop.take("1.1.0")


def test_a_quarantined_version_is_refused(workshop: Workshop) -> None:
    workshop.publish()
    workshop.client.quarantine(workshop.namespace, "sales", "1.4.0", "it sends data away")
    with pytest.raises(QuarantinedError, match="it sends data away"):
        workshop.take("1.4.0")


def test_a_specifier_chooses_the_newest_that_fits_and_no_pre_release(workshop: Workshop) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0rc1", "2.0.0"):
        workshop.publish(version)
    assert workshop.plan("~=1.0").package.version == "1.1.0"
    assert workshop.plan("1.2.0rc1").package.version == "1.2.0rc1"
    with pytest.raises(PackageError, match=r"there are: 2\.0\.0, 1\.2\.0rc1, 1\.1\.0, 1\.0\.0"):
        workshop.plan(">3")
    with pytest.raises(PackageError, match="neither a version"):
        workshop.plan("the newest")


def test_a_signature_is_required_of_every_version_after_the_first(workshop: Workshop) -> None:
    workshop.publish("1.0.0", key=KEY)
    plan = workshop.plan()
    assert [pin.key.key_id for pin in plan.pins] == [public_key(KEY).key_id]
    assert workshop.take().key_id == public_key(KEY).key_id
    workshop.publish("1.1.0")
    with pytest.raises(UntrustedPackageError, match="is not signed"):
        workshop.take()


def test_another_key_is_trusted_only_when_the_importer_says_so(workshop: Workshop) -> None:
    workshop.publish("1.0.0", key=KEY)
    workshop.take()
    other = new_key()
    workshop.publish("1.1.0", key=other)
    with pytest.raises(UntrustedPackageError, match="not one that is trusted"):
        workshop.take()
    assert workshop.take(trust=public_key(other).key_id).version == "1.1.0"


def test_parameters_are_asked_for_checked_and_kept(workshop: Workshop) -> None:
    asked = (
        PackageParameter(name="region", required=True, json_schema={"enum": ["eu", "us"]}),
        PackageParameter(name="rows", json_schema={"type": "integer"}, default=10),
    )
    workshop.publish("1.0.0", parameters=asked)
    with pytest.raises(TargetError, match="region has to be chosen: --set region="):
        workshop.take()
    with pytest.raises(TargetError, match="'mars' is not one of"):
        workshop.take(chosen={"region": "mars"})
    with pytest.raises(TargetError, match="there is no parameter 'colour'"):
        workshop.take(chosen={"region": "eu", "colour": "red"})
    assert workshop.take(chosen={"region": "eu", "rows": 5}).parameters == {"region": "eu", "rows": 5}
    workshop.publish("1.1.0", parameters=asked)
    assert workshop.take().parameters == {"region": "eu", "rows": 5}


def test_two_who_import_at_the_same_time_do_not_undo_each_other(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    plan = workshop.plan("1.0.0")
    workshop.take("1.1.0")
    with pytest.raises(LockError, match="changed by somebody else meanwhile"):
        Importer(workshop.client, workshop.lock, workshop.room).apply(plan)


def test_a_package_is_asked_for_only_where_it_came_from(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    text = workshop.lock.read_text().replace(workshop.client.url, "https://elsewhere.example")
    workshop.lock.write_text(text)
    with pytest.raises(UntrustedPackageError, match=r"was imported from https://elsewhere\.example"):
        workshop.take()


@pytest.mark.parametrize("spoil", ["twice", "digest", "unknown", "text"])
def test_a_lock_that_somebody_changed_is_refused(workshop: Workshop, spoil: str) -> None:
    workshop.publish()
    workshop.take()
    said = json.loads(workshop.lock.read_text())
    if spoil == "twice":
        said["packages"] *= 2
    elif spoil == "digest":
        said["packages"][0]["digest"] = "../../etc"
    elif spoil == "unknown":
        said["packages"][0]["mirror"] = "https://evil.example"
    workshop.lock.write_text("{" if spoil == "text" else json.dumps(said))
    with pytest.raises(LockError, match=r"dags\.lock"):
        read_lock(workshop.lock)
