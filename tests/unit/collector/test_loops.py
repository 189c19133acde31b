"""The loop that a process runs in: what its work returns, and its end."""

import asyncio
import subprocess
import sys

import pytest

from novahunt_collector import loops

SIGNAL_WHILE_CLOSING = """
import asyncio, asyncio.selector_events, os, signal
from novahunt_collector import loops

loop = asyncio.selector_events.BaseSelectorEventLoop
close = loop._close_self_pipe

def close_and_be_told(self):
    close(self)
    os.kill(os.getpid(), signal.SIGTERM)

loop._close_self_pipe = close_and_be_told

async def work():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)

loops.run(work())
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
"""


def test_what_the_work_returns_or_raises_comes_out() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return 10 // number

    assert loops.run(work(5)) == 2
    with pytest.raises(ZeroDivisionError):
        loops.run(work(0))


def test_a_signal_while_the_loop_closes_leaves_nothing_in_the_log() -> None:
    words = [sys.executable, "-c", SIGNAL_WHILE_CLOSING]
    process = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")
