"""Applications of the registry: laid out once for each process, and furnished anew for each test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from festaf.registry_api.main import create_app, furnish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from festaf.registry_api.database import Database
    from festaf.registry_api.settings import Settings

_free: list[FastAPI] = []


@contextmanager
def application(settings: Settings, database: Database) -> Iterator[FastAPI]:
    """Lend an application with nothing of those who had it before."""
    if _free:
        app = _free.pop()
        furnish(app, settings, database)
    else:
        app = create_app(settings, database)
    yield app
    app.dependency_overrides.clear()
    _free.append(app)
