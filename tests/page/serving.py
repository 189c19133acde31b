"""Serves an app on a free port of loopback while a test runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from fastapi import FastAPI


@contextmanager
def served(app: FastAPI, *, lifespan: Literal["auto", "off"] = "auto") -> Iterator[str]:
    """Yield the app's address; without its lifespan, nothing of it runs beside its answers."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False, lifespan=lifespan)
    with served_as(config) as url:
        yield url


@contextmanager
def served_as(config: uvicorn.Config) -> Iterator[str]:
    """Yield the address of what is served in a thread as a configuration says."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < limit, "the app has not started"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
