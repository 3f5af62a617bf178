"""``/docs``: Swagger UI from a package on this machine, so that it needs no internet."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from festaf.registry_api.errors import SetupError

ASSETS = "/docs/assets"


def add_documentation(app: FastAPI) -> None:
    """Serve the interactive documentation of the application."""
    package = find_spec("swagger_ui")
    if package is None or package.origin is None:
        raise SetupError("the package swagger-ui-py is missing; install festaf[registry]")
    app.mount(ASSETS, StaticFiles(directory=Path(package.origin).parent / "static"), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    def get_docs() -> HTMLResponse:
        """Show every route, and try them."""
        return get_swagger_ui_html(
            openapi_url=str(app.openapi_url),
            title="festaf registry",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon-32x32.png",
        )
