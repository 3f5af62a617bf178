"""What stands in a text in the place of a secret that the registry masked, and how an answer says so."""

from __future__ import annotations

from typing import Any

MASKED = "***masked***"
"""It may stand in the user part of a URL; it holds nothing of the secret, not even a hash."""


def masked_places(text: str | None) -> int:
    """Count the places of a text that were masked."""
    return text.count(MASKED) if text else 0


def with_masked(data: Any, *texts: str) -> Any:
    """Add to what a model is made of how many places of these texts were masked, unless it says so itself."""
    if not isinstance(data, dict) or "masked" in data:
        return data
    return {**data, "masked": sum(masked_places(data.get(name)) for name in texts if isinstance(data.get(name), str))}
