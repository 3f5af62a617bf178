"""Hooks that the triggers of one process share: making a boto3 client costs more than a hundred looks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook

KEEP_SECONDS = 600.0
"""After this long a new trigger reads the connection again, which may have changed."""

Name = tuple[str | None, str | None]
_hooks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Name, tuple[float, asyncio.Task[FeatureStoreHook]]]] = (
    WeakKeyDictionary()
)


async def shared_hook(aws_conn_id: str | None, region_name: str | None) -> FeatureStoreHook:
    """Give the hook of a connection and region in the running event loop.

    :raises AccessError: the connection cannot be used
    """
    from asgiref.sync import sync_to_async

    loop = asyncio.get_running_loop()
    hooks = _hooks.setdefault(loop, {})
    name = (aws_conn_id, region_name)
    made = hooks.get(name)
    if made is None or time.monotonic() - made[0] > KEEP_SECONDS or _failed(made[1]):
        made = time.monotonic(), loop.create_task(sync_to_async(_make)(aws_conn_id, region_name))
        hooks[name] = made
    hook = await asyncio.shield(made[1])
    await asyncio.to_thread(hook.client, "sagemaker")
    return hook


def _make(aws_conn_id: str | None, region_name: str | None) -> FeatureStoreHook:
    """Read the connection, in the one thread in which a triggerer may ask Airflow for it."""
    from festaf.provider.hooks.feature_store import FeatureStoreHook

    hook = FeatureStoreHook(aws_conn_id=aws_conn_id, region_name=region_name)
    _ = hook.conn_config
    return hook


def _failed(task: asyncio.Task[FeatureStoreHook]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
