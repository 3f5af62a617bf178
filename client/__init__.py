"""The registry's Python client, for anyone, without Airflow; and delivery of events through a durable spool.

    with RegistryClient("http://127.0.0.1:8750") as registry:
        answer = registry.feature("nyc", "weather", "wind_speed_mean_24h")

The names below are imported when they are first used: the spool works without loading an HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from festaf.client.breaker import Breaker
    from festaf.client.delivery import Delivery, Outcome
    from festaf.client.errors import RegistryError, SpoolError
    from festaf.client.registry import RegistryClient
    from festaf.client.sender import Sender
    from festaf.client.spool import Spool

__all__ = ["Breaker", "Delivery", "Outcome", "RegistryClient", "RegistryError", "Sender", "Spool", "SpoolError"]

_HOMES = {
    "Breaker": "breaker",
    "Delivery": "delivery",
    "Outcome": "delivery",
    "RegistryClient": "registry",
    "RegistryError": "errors",
    "Sender": "sender",
    "Spool": "spool",
    "SpoolError": "errors",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
