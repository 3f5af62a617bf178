"""Whatever happens in the listener, the task and the scheduler go on."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.listeners.listener import get_listener_manager

from festaf.provider.lineage.capture import Capture
from festaf.provider.lineage.listener import LineageListener


def _broken(error: BaseException) -> Any:
    def configured() -> Capture:
        raise error

    return configured


@pytest.mark.parametrize("error", [RuntimeError("oh"), SystemExit(9), KeyboardInterrupt()], ids=repr)
def test_nothing_escapes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    monkeypatch.setattr(Capture, "configured", _broken(error))
    listener = LineageListener()
    task_instance = SimpleNamespace(state=None)
    with caplog.at_level(logging.WARNING):
        listener.on_task_instance_success(task_instance)
        listener.on_task_instance_failed(task_instance, "why")
        listener.on_task_instance_skipped(task_instance)
        for hook in (listener.on_dag_run_running, listener.on_dag_run_success):
            hook(SimpleNamespace())
        listener.on_dag_run_failed(SimpleNamespace(), "msg")
    assert caplog.text.count("Lineage could not be captured") == 6


def test_the_hooks_are_airflows() -> None:
    manager, listener = get_listener_manager(), LineageListener()
    manager.add_listener(listener)
    try:
        manager.pm.check_pending()
    finally:
        manager.pm.unregister(listener)


def test_nothing_is_done_while_a_task_starts() -> None:
    listener = LineageListener()
    assert not hasattr(listener, "on_task_instance_running")
    listener.on_starting(SimpleNamespace())
    listener.before_stopping(SimpleNamespace())
    assert vars(listener) == vars(LineageListener())
