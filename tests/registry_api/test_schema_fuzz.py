"""Schemathesis sends every operation of the OpenAPI schema whatever it can think of, and finds no fault in any answer.

All its checks are on: no 5xx, only statuses, types, headers and bodies that the schema declares, wrong data refused,
right data taken, no answer without a token.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from festaf.contract.http import API
from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.database import Database
from festaf.registry_api.main import create_app
from festaf.registry_api.schema import migrate
from festaf.registry_api.server import bind
from festaf.registry_api.settings import Settings
from tests.registry_api.marquez.shop import shop
from tests.registry_api.story import story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")


@pytest.fixture
def fuzz(database_url: str, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Give a way to run Schemathesis against a registry that was told a story, with a token for everything."""
    database = Database(database_url)
    migrate(database)
    with database.writing() as session:
        token = TokenService(session, datetime.now(UTC)).create("fuzz", list(Scope), None)[1]
    app = create_app(Settings(database_url, limits=Limits(None, None, None, None)), database)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    with closing(bind("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        bearer = {"Authorization": f"Bearer {token}"}
        told = httpx.post(f"{url}{API}/lineage/batch", json=[*story(), *shop()], headers=bearer, timeout=60)
        assert told.status_code == 204, told.text
        assert httpx.get(f"{url}{API}/openapi.json", timeout=60).status_code == 200  # It is made at the first request.

        def run(*words: str) -> None:
            command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
            command += ["run", f"{url}{API}/openapi.json", "-H", f"Authorization: Bearer {token}", "--checks", "all"]
            command += ["--seed", "1", "--no-shrink", "--continue-on-failure", "--request-timeout", "60", *words]
            plain = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "SCHEMATHESIS_HOOKS": str(HOOKS)}
            done = subprocess.run(command, check=False, capture_output=True, text=True, env=plain, cwd=tmp_path)
            assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]

        yield run
        server.should_exit = True
        thread.join(20)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_nothing_that_the_schema_allows_or_forbids_finds_a_fault(fuzz: Callable[..., None]) -> None:
    # Schemathesis sends names back that it read, and would revoke the token that it asks with.
    fuzz("--max-examples", "30", f"--exclude-path={API}/tokens/{{name}}")
    fuzz("--max-examples", "30", f"--include-path={API}/tokens/{{name}}", "--phases", "fuzzing")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_quick_look_finds_no_fault(fuzz: Callable[..., None]) -> None:
    fuzz("--max-examples", "3", "--phases", "fuzzing", "--include-method", "GET")
