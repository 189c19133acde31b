"""A volume that fills up, turns read-only, vanishes or hangs: nothing is lost that was saved, nothing ends half."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from contract.collector.resuming import (
    CHARGES_REPEATS,
    SIZE,
    asked,
    is_the_truth,
    names_in,
    saved,
    until_answered,
)
from contract.collector.running import DOMAIN, Ended, collect, ended, environ, started
from hunter_simulator import Fault, Proceed, Simulator, running_simulator
from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage.checkpoints import checkpoint_path
from novahunt_collector.storage.folder import FolderStorage
from novahunt_contract.document import Document
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount volumes")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator(CHARGES_REPEATS) as running:
        yield running


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """Mount a volume of 2 MiB of its own, with a folder for the documents below it."""
    device, mounted = tmp_path / "device", tmp_path / "mounted"
    device.mkdir()
    mounted.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=0770", "none", str(device))
    try:
        mount("--bind", str(device), str(mounted))
        yield mounted
    finally:
        for place in (mounted, device):
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def unmount(volume: Path) -> None:
    subprocess.run(["umount", "--lazy", str(volume)], check=True)


def fill(volume: Path, left: int) -> Path:
    """Fill a volume up to so many bytes."""
    state = os.statvfs(volume)
    filler = volume / "filler"
    filler.write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - left)))
    return filler


async def during(simulator: Simulator, folder: Path, offset: int, happening: Callable[[], object]) -> Ended:
    """Collect, and let something happen while the answer to an offset is on its way."""
    number = simulator.add_fault(Fault(action=Proceed(), offset=offset, delay=0.5, times=1))
    collecting = asyncio.create_task(collect(simulator, folder))
    await until_answered(simulator, offset)
    await asyncio.to_thread(happening)
    result = await collecting
    simulator.remove_fault(number)
    return result


def failed(result: Ended, folder: Path, words: str) -> bool:
    assert result.receipt.reason is Reason.STORAGE
    assert str(folder) in result.receipt.message
    assert words in result.receipt.message
    assert result.document is None
    return True


# ---------------------------------------------------------------------- full


@needs_root
async def test_a_full_volume_is_found_out_before_anything_is_paid(simulator: Simulator, volume: Path) -> None:
    folder = volume / "q4"
    folder.mkdir()
    fill(volume, 0)
    assert failed(await collect(simulator, folder), folder, "no space is left")
    assert simulator.report().requests == 0
    assert names_in(folder) == []


@needs_root
async def test_a_volume_that_fills_up_on_the_way_keeps_the_pages_before_and_is_gone_on_with_later(
    simulator: Simulator, volume: Path
) -> None:
    folder = volume / "q4"
    result = await during(simulator, folder, 200, lambda: fill(volume, 8192))
    assert failed(result, folder, "no space is left")
    assert "2 pages are saved" in result.receipt.message
    assert names_in(folder) == [checkpoint_path(folder, DOMAIN).name]
    assert len(saved(folder).pages) == 2
    # A second attempt on the full volume pays for nothing.
    assert failed(await collect(simulator, folder), folder, "no space is left")
    assert len(saved(folder).pages) == 2
    (volume / "filler").unlink()
    result = await collect(simulator, folder)
    # The page that did not fit is the only one that is paid for twice.
    assert asked(simulator) == {0: 1, 100: 1, 200: 2, 300: 1, 400: 1}
    assert (result.receipt.items, result.receipt.credits_saved) == (SIZE, 20)
    assert names_in(folder) == [f"{DOMAIN}.json"]


@needs_root
async def test_a_volume_with_room_for_the_pages_and_not_for_the_document_costs_nothing_more(
    simulator: Simulator, volume: Path
) -> None:
    folder = volume / "q4"
    result = await during(simulator, folder, 400, lambda: fill(volume, 64 * 1024))
    assert failed(result, folder, "no space is left")
    assert "5 pages are saved" in result.receipt.message
    (volume / "filler").unlink()
    result = await collect(simulator, folder)
    assert is_the_truth(simulator, result, folder)
    assert result.receipt.requests == 0


# ---------------------------------------------------------------------- read-only


@needs_root
async def test_a_volume_that_is_read_only_is_found_out_before_anything_is_paid(
    simulator: Simulator, volume: Path
) -> None:
    folder = volume / "q4"
    folder.mkdir()
    mount("-o", "remount,ro,bind", str(volume))
    assert failed(await collect(simulator, folder), folder, "mounted read-only")
    assert simulator.report().requests == 0


@needs_root
@pytest.mark.parametrize("offset", [200, 400])
async def test_a_volume_that_turns_read_only_on_the_way_keeps_the_pages_before(
    simulator: Simulator, volume: Path, offset: int
) -> None:
    folder = volume / "q4"
    result = await during(simulator, folder, offset, lambda: mount("-o", "remount,ro,bind", str(volume)))
    assert failed(result, folder, "mounted read-only")
    assert len(saved(folder).pages) == offset // 100
    mount("-o", "remount,rw,bind", str(volume))
    result = await collect(simulator, folder)
    assert (result.receipt.items, result.receipt.credits_saved) == (SIZE, offset // 10)
    assert names_in(folder) == [f"{DOMAIN}.json"]


# ---------------------------------------------------------------------- vanished


@needs_root
async def test_a_volume_that_is_unmounted_on_the_way_is_named_and_nothing_is_written_below_its_mount(
    simulator: Simulator, volume: Path
) -> None:
    folder = volume / "q4"
    result = await during(simulator, folder, 200, lambda: unmount(volume))
    assert failed(result, folder, "its volume is not there any more")
    assert names_in(volume) == []
    mount("--bind", str(volume.parent / "device"), str(volume))
    result = await collect(simulator, folder)
    assert (result.receipt.items, result.receipt.credits_saved) == (SIZE, 20)


@needs_root
async def test_a_document_does_not_go_below_the_mount_of_a_volume_that_is_gone(volume: Path) -> None:
    storage = FolderStorage(volume / "q4", 20.0)
    await storage.prepare(DOMAIN)
    await asyncio.to_thread(unmount, volume)
    document = Document(DOMAIN, (), 0, "", "", "")
    for call in (storage.store(document), storage.remove(DOMAIN)):
        with pytest.raises(StorageFailedError, match="its volume is not there any more"):
            await call
    assert names_in(volume) == []


async def test_a_folder_that_is_removed_on_the_way_is_named_and_the_next_run_makes_it_anew(
    simulator: Simulator, folder: Path
) -> None:
    def remove() -> None:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    result = await during(simulator, folder, 200, remove)
    assert failed(result, folder, "there is no such folder")
    result = await collect(simulator, folder)
    assert (result.receipt.items, result.receipt.credits_saved) == (SIZE, 0)


# ---------------------------------------------------------------------- slow


def pipe_for_the_document(folder: Path) -> None:
    """Let whoever looks at the domain's document wait for ever, as a file server that is gone does."""
    os.mkfifo(folder / f"{DOMAIN}.json")


async def test_a_volume_that_hangs_on_the_way_ends_the_process_with_its_pages_saved(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=400, delay=0.5, times=1))
    environment = environ(simulator, folder, NOVAHUNT_STORAGE_PATIENCE_SECONDS="1")
    async with started([DOMAIN], environment, tmp_path) as process:
        await until_answered(simulator, 400)
        pipe_for_the_document(folder)
        began = time.monotonic()
        result = await ended(process, tmp_path)
    assert time.monotonic() - began < 10
    assert result.code == ExitCode.STORAGE_FAILED
    assert result.receipt is not None
    assert f"{folder} can't be used: it did not answer within 1 s" in result.receipt.message
    assert "5 pages are saved" in result.receipt.message
    (folder / f"{DOMAIN}.json").unlink()
    later = await collect(simulator, folder)
    assert (later.receipt.items, later.receipt.requests) == (SIZE, 0)


async def test_a_signal_ends_a_process_whose_volume_hangs_within_ten_seconds(
    simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    simulator.add_fault(Fault(action=Proceed(), offset=400, delay=0.5, times=1))
    async with started([DOMAIN], environ(simulator, folder), tmp_path) as process:
        await until_answered(simulator, 400)
        pipe_for_the_document(folder)
        async with asyncio.timeout(20):
            while len(saved(folder).pages) < 5:  # noqa: ASYNC110 - a file rings no bell
                await asyncio.sleep(0.01)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        result = await ended(process, tmp_path)
    assert time.monotonic() - began < 10
    assert result.code == ExitCode.INTERRUPTED
    assert result.receipt is not None
    assert result.receipt.reason is Reason.INTERRUPTED
    assert len(saved(folder).pages) == 5
