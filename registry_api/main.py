"""Put the application together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from festaf import __version__
from festaf.contract.http import API
from festaf.registry_api import health
from festaf.registry_api.dags.routes import router as dags
from festaf.registry_api.database import Database
from festaf.registry_api.documentation import add_documentation
from festaf.registry_api.features.routes import router as features
from festaf.registry_api.lineage.routes import router as lineage
from festaf.registry_api.problems import add_problem_handlers
from festaf.registry_api.settings import Settings


def create_app(settings: Settings, database: Database | None = None) -> FastAPI:
    """Make the registry's application.

    :param database: one that is open already; the application closes it at its end
    """
    opened = database or Database(settings.database_url, settings.busy_timeout)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        opened.close()

    app = FastAPI(
        title="festaf registry",
        summary="Where does this feature come from?",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
    )
    app.state.settings = settings
    app.state.database = opened
    add_problem_handlers(app)
    app.include_router(health.router)
    for router in (lineage, features, dags):
        app.include_router(router, prefix=API)
    add_documentation(app)
    return app
