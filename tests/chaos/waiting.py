"""Waits until something that nobody tells is so; the caller sets the limit."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(check: Callable[[], Awaitable[bool]], pause: float = 0.1) -> None:
    """Look again after each pause, in seconds, until it is so."""
    while not await check():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(pause)
