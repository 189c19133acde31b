"""Work on files in threads of its own: its result, its errors, and its end when the file server is gone."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from novahunt_collector import logs
from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage.threads import within


async def test_the_result_comes_back(tmp_path: Path) -> None:
    assert await within(20.0, tmp_path, lambda: list(tmp_path.iterdir())) == []


async def test_an_error_comes_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await within(20.0, tmp_path, (tmp_path / "nothing").read_bytes)


async def test_what_is_logged_there_names_the_same_domain(tmp_path: Path) -> None:
    token = logs.domain_in_hand.set("example.com")
    assert await within(20.0, tmp_path, logs.domain_in_hand.get) == "example.com"
    logs.domain_in_hand.reset(token)


async def test_work_that_hangs_is_given_up_by_name_and_nobody_waits_for_its_thread(tmp_path: Path) -> None:
    # Opening a pipe that nobody writes to hangs as a lost file server does.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    began = asyncio.get_running_loop().time()
    with pytest.raises(StorageFailedError, match=r"can't be used: it did not answer within 0\.2 s") as raised:
        await within(0.2, tmp_path, pipe.read_bytes)
    assert asyncio.get_running_loop().time() - began < 5
    assert str(tmp_path) in str(raised.value)
    (hanging,) = (thread for thread in threading.enumerate() if str(tmp_path) in thread.name)
    assert hanging.daemon
    # Its late result finds nobody, and does no harm.
    os.close(os.open(pipe, os.O_WRONLY))
    hanging.join(20)
    assert not hanging.is_alive()
