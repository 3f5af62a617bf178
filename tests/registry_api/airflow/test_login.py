"""A login outlives its cycle: another is made when the token is no longer taken, and no secret is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.registry_api.airflow.errors import RefusedError, SecretError
from festaf.registry_api.airflow.login import Access, Login
from tests.registry_api.airflow.deployment import Reply

if TYPE_CHECKING:
    from tests.registry_api.airflow.conftest import Sync


def logins(sync: Sync) -> int:
    return sync.airflow.asked_for("/auth/token")


def test_one_login_serves_many_cycles(sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_sync.log_in_with_password(monkeypatch)
    for _ in range(3):
        assert sqlite_sync.run() is None
    assert logins(sqlite_sync) == 1


def test_an_expired_token_is_renewed_once(sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = sqlite_sync
    sync.log_in_with_password(monkeypatch)
    assert sync.run() is None
    sync.airflow.token = "of-the-next-day"
    assert sync.run() is None
    assert (logins(sync), sync.figures.counts()["logins"]) == (2, 1)

    sync.airflow.token = "of-another-day"
    monkeypatch.setenv("FESTAF_AIRFLOW_PASSWORD", "wrong")
    assert isinstance(sync.run(), RefusedError)
    assert logins(sync) == 3
    shown = sync.registry.http.get("/api/v1/airflows").text + str(sync.state) + repr(sync.login)
    for secret in (sync.airflow.password, "wrong", "of-the-next-day"):
        assert secret not in shown
    monkeypatch.delenv("FESTAF_AIRFLOW_PASSWORD")
    assert isinstance(sync.run(), SecretError)


def test_a_kept_token_that_airflow_can_no_longer_read_is_renewed(
    sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow answers with status 403 to a token that was signed with a key of before its restart."""
    sync = sqlite_sync
    sync.log_in_with_password(monkeypatch)
    assert sync.run() is None
    sync.airflow.fail(Reply(403, b'{"detail": "Invalid JWT token"}'))
    assert sync.run() is None
    assert logins(sync) == 2


def test_what_the_account_may_not_read_costs_no_login(sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = sqlite_sync
    sync.log_in_with_password(monkeypatch)
    sync.airflow.fail(Reply(403), "/dags/~/dagRuns", times=100)
    for _ in range(2):
        assert isinstance(sync.run(), RefusedError)
    assert logins(sync) == 1


def test_a_token_that_stands_in_the_secret_is_read_in_each_cycle(
    sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sqlite_sync.run() is None
    sqlite_sync.airflow.token = "rotated"
    monkeypatch.setenv("FESTAF_AIRFLOW_TOKEN", "rotated")
    assert sqlite_sync.run() is None
    assert (logins(sqlite_sync), sqlite_sync.airflow.asked_for("/dags?")) == (0, 2)


@pytest.mark.parametrize("secret", ["one-token\nanother-token", "two words", "schlüssel"])
def test_a_secret_that_is_no_token_is_refused_and_shown_nowhere(
    sqlite_sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    monkeypatch.setenv("FESTAF_AIRFLOW_TOKEN", secret)
    assert isinstance(sqlite_sync.run(), SecretError)
    assert sqlite_sync.airflow.asked == []
    assert not [word for word in secret.split() if word in str(sqlite_sync.state) + caplog.text]


def test_a_token_is_given_to_no_other_address_or_account() -> None:
    login, access = Login(), Access("https://one", "ann", "env:FESTAF_AIRFLOW_A")
    login.keep(access, "token")
    assert login.token(access) == "token"
    for other in (Access("https://two", "ann", access.secret), Access("https://one", "bob", access.secret)):
        assert login.token(other) is None
