"""Hooks that the triggers of one process share: making a boto3 client costs more than a hundred looks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from festaf.provider.hooks.aws import AwsHook

KEEP_SECONDS = 600.0
"""After this long a new trigger reads the connection again, which may have changed."""

Hook = TypeVar("Hook", bound="AwsHook")
Name = tuple[type[Any], str | None, str | None]
_hooks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Name, tuple[float, asyncio.Task[AwsHook]]]] = (
    WeakKeyDictionary()
)


async def shared_hook(kind: type[Hook], aws_conn_id: str | None, region_name: str | None) -> Hook:
    """Give the hook of a kind, connection and region in the running event loop.

    :raises AccessError: the connection cannot be used
    """
    from asgiref.sync import sync_to_async

    loop = asyncio.get_running_loop()
    hooks = _hooks.setdefault(loop, {})
    name = (kind, aws_conn_id, region_name)
    made = hooks.get(name)
    if made is None or time.monotonic() - made[0] > KEEP_SECONDS or _failed(made[1]):
        made = time.monotonic(), loop.create_task(sync_to_async(_make)(kind, aws_conn_id, region_name))
        hooks[name] = made
    hook = await asyncio.shield(made[1])
    await asyncio.to_thread(hook.client, "sagemaker")
    return cast("Hook", hook)


def _make(kind: type[AwsHook], aws_conn_id: str | None, region_name: str | None) -> AwsHook:
    """Read the connection, in the one thread in which a triggerer may ask Airflow for it."""
    hook = kind(aws_conn_id=aws_conn_id, region_name=region_name)
    _ = hook.conn_config
    return hook


def _failed(task: asyncio.Task[AwsHook]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
