from __future__ import annotations

from datetime import UTC, datetime

import pytest

from festaf.provider.errors import FailedArtifactError, InputError, RefusedError
from festaf.provider.models.ladder import REGISTERING, UNDECIDED, approved, check_level, created, registered
from festaf.provider.models.record import Container, VersionSummary


def version(status: str = "Completed", approval: str | None = "PendingManualApproval") -> VersionSummary:
    return VersionSummary(
        group="delay", number=3, arn="arn", status=status, approval=approval, created_at=datetime.now(UTC)
    )


@pytest.mark.parametrize(
    ("status", "missing"), [("Pending", (REGISTERING,)), ("InProgress", (REGISTERING,)), ("Completed", ())]
)
def test_a_version_is_registered_when_aws_says_completed(status: str, missing: tuple[str, ...]) -> None:
    assert registered(version(status)) == missing


@pytest.mark.parametrize("status", ["Failed", "Deleting"])
def test_a_version_that_aws_gave_up_fails_with_the_reason(status: str) -> None:
    with pytest.raises(FailedArtifactError, match=f"Model delay:3 is {status}: no such image"):
        registered(version(status), "no such image")


@pytest.mark.parametrize(
    ("approval", "missing"), [("Approved", ()), ("PendingManualApproval", (UNDECIDED,)), (None, (UNDECIDED,))]
)
def test_a_version_is_approved_when_somebody_said_so(approval: str | None, missing: tuple[str, ...]) -> None:
    assert approved(version(approval=approval)) == missing


def test_a_rejected_version_fails_with_what_was_written() -> None:
    with pytest.raises(FailedArtifactError, match="delay:3 is Rejected: worse in winter"):
        approved(version(approval="Rejected"), "worse in winter")


def test_an_unknown_state_is_no_success() -> None:
    with pytest.raises(RefusedError, match="'Done', which this version of festaf does not know"):
        registered(version("Done"))
    with pytest.raises(RefusedError, match="'Maybe', which this version does not know"):
        approved(version(approval="Maybe"))
    with pytest.raises(InputError, match="level is 'READY': write one of CREATED, REGISTERED, APPROVED"):
        check_level("READY")


def test_a_model_is_created_when_every_container_has_its_image_and_data() -> None:
    good = Container(image="img", model_data="s3://lake/m.tar.gz")
    bare = Container(hostname="second")
    assert created((good,), (True,)) == ()
    assert created((good,), (None,)) == ()
    assert created((), ()) == ("its containers are not known",)
    assert created((good, bare), (False, None)) == (
        "the model data s3://lake/m.tar.gz do not exist",
        "container second has no image",
    )
