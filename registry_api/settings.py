"""What the registry is told at start: built once in main or the command line, passed down, never read at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.oidc import OidcSettings
from festaf.registry_api.errors import SetupError

DATABASE_URL_VARIABLE = "FESTAF_REGISTRY_DATABASE_URL"
BLOBS_VARIABLE = "FESTAF_REGISTRY_BLOBS"
OIDC_VARIABLES = "FESTAF_REGISTRY_OIDC_"
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
    sync: bool = False
    """Read the Airflows that are due, in the background; ``festaf registry serve`` does."""
    limits: Limits = field(default_factory=Limits)
    """How often one caller may ask."""
    blobs: str | None = None
    """Where the archives of DAG packages are: a folder, or ``s3://bucket/prefix``; None for one beside the database."""
    oidc: OidcSettings | None = None
    """Who vouches for people; None to let in only tokens of the registry's own."""


def default_database_url() -> str:
    """Name the SQLite file under the user's data folder (``$XDG_DATA_HOME`` or ``~/.local/share``)."""
    folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return f"sqlite:///{folder / 'festaf' / 'registry.db'}"


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Read how often one may ask from ``FESTAF_REGISTRY_LIMIT_READS`` and the like; an empty one is no limit."""
    found: dict[str, str | None] = {}
    for limit in fields(Limits):
        text = environment.get(f"FESTAF_REGISTRY_LIMIT_{limit.name.upper()}")
        if text is not None:
            found[limit.name] = text or None
    return Limits(**found)


def read_oidc(environment: Mapping[str, str]) -> OidcSettings | None:
    """Read which identity provider is believed from ``FESTAF_REGISTRY_OIDC_ISSUER`` and the like.

    :raises SetupError: the settings would let strangers in
    """
    said = {
        name.removeprefix(OIDC_VARIABLES).lower(): text
        for name, text in environment.items()
        if name.startswith(OIDC_VARIABLES) and text
    }
    if not said:
        return None
    known = {"issuer", "audience", "jwks_url", "algorithms", "user_claim", "groups_claim"}
    wrong = sorted(set(said) - known) or sorted({"issuer", "audience"} - set(said))
    if wrong:
        raise SetupError(f"{OIDC_VARIABLES}ISSUER and {OIDC_VARIABLES}AUDIENCE are needed; look at {', '.join(wrong)}")
    return OidcSettings(
        said["issuer"],
        said["audience"],
        jwks_url=said.get("jwks_url"),
        algorithms=tuple(part.strip() for part in said.get("algorithms", "RS256,ES256").split(",")),
        user_claim=said.get("user_claim", "email"),
        groups_claim=said.get("groups_claim", "groups"),
    )
