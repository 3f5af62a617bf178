"""The local AWS's own small API under ``/_local``: settings, clock, faults, counts, reset."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from festaf.local_aws.faults import Fault, Faults
from festaf.local_aws.protocol.message import Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.settings import CurrentSettings

PREFIX = "/_local/"


@dataclass(frozen=True)
class Control:
    """What can be turned from outside."""

    clock: Clock
    settings: CurrentSettings
    faults: Faults
    reset: Callable[[], Awaitable[None]]
    """Forgets every resource; faults, counts and settings are forgotten here."""
    advanced: Callable[[float], None] = field(default=lambda seconds: None)
    """Told of every jump, to keep it."""
    operations: Callable[[], dict[str, list[str]]] = field(default=dict)
    """Gives the operations that are not moto's, by service."""
    calls: Counter[str] = field(default_factory=Counter)
    """By operation, since the last reset."""

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request under ``/_local``."""
        handler = _ROUTES.get((method, path.removeprefix(PREFIX)))
        if handler is None:
            return _json(404, {"message": f"The local AWS has no {method} {path}"})
        try:
            return _json(200, await handler(self, json.loads(body) if body else {}))
        except ValidationError as problem:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors())
            return _json(400, {"message": wrong})
        except (ValueError, TypeError) as problem:
            return _json(400, {"message": str(problem)})


class _Jump(BaseModel):
    model_config = ConfigDict(extra="forbid")
    advance: Annotated[float, Field(ge=0, allow_inf_nan=False)]


async def _health(control: Control, _: Any) -> dict[str, Any]:
    return {"status": "ready", "now": control.clock.now()}


async def _show_settings(control: Control, _: Any) -> dict[str, Any]:
    return control.settings.now.model_dump()


async def _change_settings(control: Control, changes: Any) -> dict[str, Any]:
    if not isinstance(changes, dict):
        raise ValueError("settings are a JSON object")
    return control.settings.change(changes).model_dump()


async def _show_clock(control: Control, _: Any) -> dict[str, Any]:
    return {"now": control.clock.now()}


async def _advance(control: Control, order: Any) -> dict[str, Any]:
    seconds = _Jump.model_validate(order).advance
    control.clock.advance(seconds)
    control.advanced(seconds)
    return {"now": control.clock.now()}


async def _show_faults(control: Control, _: Any) -> dict[str, Any]:
    return {"faults": [fault.model_dump() for fault in control.faults.standing()]}


async def _order_fault(control: Control, order: Any) -> dict[str, Any]:
    control.faults.order(Fault.model_validate(order))
    return await _show_faults(control, None)


async def _clear_faults(control: Control, _: Any) -> dict[str, Any]:
    control.faults.clear()
    return {"faults": []}


async def _stats(control: Control, _: Any) -> dict[str, Any]:
    return {"calls": dict(control.calls)}


async def _operations(control: Control, _: Any) -> dict[str, Any]:
    return {"operations": control.operations()}


async def _reset(control: Control, _: Any) -> dict[str, Any]:
    control.faults.clear()
    control.settings.reset()
    await control.reset()
    control.calls.clear()
    return {}


_ROUTES: dict[tuple[str, str], Callable[[Control, Any], Awaitable[dict[str, Any]]]] = {
    ("GET", "health"): _health,
    ("GET", "settings"): _show_settings,
    ("PUT", "settings"): _change_settings,
    ("GET", "clock"): _show_clock,
    ("POST", "clock"): _advance,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _order_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "stats"): _stats,
    ("GET", "operations"): _operations,
    ("POST", "reset"): _reset,
}


def _json(status: int, content: dict[str, Any]) -> Answer:
    return Answer(status, [(b"content-type", b"application/json")], json.dumps(content).encode())
