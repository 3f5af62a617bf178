from __future__ import annotations

import pickle

import pytest

from festaf.provider import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.ServiceError("slow down", code="ThrottlingException", operation="PutRecord"),
        errors.QuotaError("full", code="ResourceLimitExceeded", operation="CreateFeatureGroup"),
        errors.InputError("no such column"),
        errors.RefusedError("no", code="ValidationException", operation="CreateFeatureGroup"),
        errors.SpecificationError("Feature set planes", ("online: wanted True, found False",)),
        errors.FailedArtifactError("Feature set planes", "CreateFailed", "no bucket"),
        errors.UnexpectedAnswerError("delay", ("variant A: no",), "It was left as it is"),
        errors.RejectedRowsError("1 of 2", rejected=1, allowed=0, dead_letter="file:///rejected.jsonl"),
        errors.NotReadyError("Feature set planes", "CREATED", ("the Glue table does not exist",), 60.0),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling_with_its_fields(error: errors.FestafError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_final_error_is_not_retried_and_a_late_one_is_a_sensor_timeout() -> None:
    from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

    assert issubclass(errors.FinalError, AirflowFailException)
    assert issubclass(errors.NotReadyError, AirflowSensorTimeout)
    assert not issubclass(errors.ServiceError, AirflowFailException)


def test_a_code_stands_in_one_set_only() -> None:
    sets = [errors.RETRYABLE, errors.ABSENT, errors.QUOTA, errors.TAKEN, errors.FINAL]
    codes = [code for named in sets for code in named]
    assert len(codes) == len(set(codes))
