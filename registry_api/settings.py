"""What the registry is told at start: built once in main or the command line, passed down, never read at import."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.oidc import OidcSettings

DATABASE_URL_VARIABLE = "FESTAF_REGISTRY_DATABASE_URL"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """The registry's settings; sizes are in bytes, times in seconds."""

    database_url: str
    demo: bool = False
    """No token is asked for; only this machine is answered."""
    max_body_bytes: int = 16 * MEBIBYTE
    """Bound of a request body, as it came and also after decompression."""
    max_batch_events: int = 1_000
    busy_timeout: float = 5.0
    """How long a request waits for the database's locks before it answers 503."""
    limits: Limits = field(default_factory=Limits)
    """How often one caller may ask."""
    oidc: OidcSettings | None = None
    """Who vouches for people; None to let in only tokens of the registry's own."""


def default_database_url() -> str:
    """Name the SQLite file under the user's data folder (``$XDG_DATA_HOME`` or ``~/.local/share``)."""
    folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return f"sqlite:///{folder / 'festaf' / 'registry.db'}"
