"""Put the application together."""

from __future__ import annotations

import os
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from festaf import __version__
from festaf.contract.http import API
from festaf.registry_api import health
from festaf.registry_api.access.limits import Throttle
from festaf.registry_api.access.oidc import IdentityProvider
from festaf.registry_api.access.recognition import Doorkeeper
from festaf.registry_api.access.routes import ROUTERS as ACCESS
from festaf.registry_api.airflow.routes import router as airflow
from festaf.registry_api.airflow.syncer import Syncer
from festaf.registry_api.answers import Answers
from festaf.registry_api.dag_packages.blobs import open_blobs
from festaf.registry_api.dag_packages.routes import ROUTERS as DAG_PACKAGES
from festaf.registry_api.dags.routes import router as dags
from festaf.registry_api.database import Database
from festaf.registry_api.documentation import add_documentation
from festaf.registry_api.edge import caller_of, refuse_encoded, refuse_nul
from festaf.registry_api.experiments.routes import router as experiments
from festaf.registry_api.feature_requests.routes import router as feature_requests
from festaf.registry_api.features.routes import router as features
from festaf.registry_api.lineage.routes import router as lineage
from festaf.registry_api.marquez.names import EncodedNames
from festaf.registry_api.marquez.routes import router as marquez
from festaf.registry_api.openapi import declare_problems
from festaf.registry_api.operations.bounding import BoundedBodies
from festaf.registry_api.operations.metrics import Metrics
from festaf.registry_api.operations.routes import router as operations
from festaf.registry_api.operations.stopping import Stopping
from festaf.registry_api.operations.tracing import read_tracing
from festaf.registry_api.operations.watching import Watching
from festaf.registry_api.problems import add_problem_handlers
from festaf.registry_api.schema import head
from festaf.registry_api.search.routes import router as search
from festaf.registry_api.settings import Settings


def create_app(settings: Settings, database: Database | None = None) -> FastAPI:
    """Make the registry's application.

    :param database: one that is open already; the application closes it at its end
    """
    app = FastAPI(
        title="festaf registry",
        summary="Where does this feature come from?",
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
    )
    add_problem_handlers(app)
    app.include_router(health.router)
    app.include_router(operations)
    app.add_middleware(BoundedBodies)
    app.add_middleware(Watching)
    app.add_middleware(EncodedNames)
    routers = (lineage, features, dags, experiments, search, feature_requests, airflow, *ACCESS, *DAG_PACKAGES, marquez)
    for router in routers:
        # Whatever a route itself asks for: nobody gets to it whom nobody knows.
        checks = [Depends(check) for check in (caller_of, refuse_nul, refuse_encoded)]
        app.include_router(router, prefix=API, dependencies=checks)
    declare_problems(app)
    add_documentation(app)
    furnish(app, settings, database or Database(settings.database_url, settings.busy_timeout))
    return app


def furnish(app: FastAPI, settings: Settings, database: Database) -> None:
    """Give an application that does not run its database and all that stands on it, in place of what it had.

    The routes know nothing of it, and laying them out takes long: tests give one application many databases.
    """
    syncer = Syncer(database)
    state = app.state
    state.settings = settings
    state.database = database
    state.answers = Answers()
    state.syncer = syncer
    state.airflow_figures = syncer.board
    state.metrics = Metrics(database, syncer.board, head())
    state.tracing = read_tracing(os.environ)
    state.stopping = Stopping(syncer.stop)
    state.identity_provider = IdentityProvider(settings.oidc) if settings.oidc else None
    state.doorkeeper = Doorkeeper(database, state.identity_provider)
    state.throttle = Throttle(settings.limits)
    state.blobs = open_blobs(settings.blobs, database.url)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    if state.settings.sync:
        state.syncer.start()
    yield
    if state.settings.sync:
        await to_thread(state.syncer.stop)
    state.database.close()
    if state.tracing is not None:
        await to_thread(state.tracing.stop)
    if state.identity_provider is not None:
        state.identity_provider.close()
