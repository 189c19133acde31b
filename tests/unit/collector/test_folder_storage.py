"""The folder: one document a domain, replaced in one step, never by an older run, never left half."""

import asyncio
import os
import stat
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from novahunt_collector.errors import StorageFailedError
from novahunt_collector.storage import files
from novahunt_collector.storage.folder import FolderStorage
from novahunt_collector.storage.memory import FolderOrMemoryStorage, MemoryStorage
from novahunt_contract import document as documents
from novahunt_contract.document import Document, Item

PATIENCE = 20.0


def document(run: int = 1, items: int = 2, domain: str = "example.com") -> Document:
    return Document(
        domain=domain,
        items=tuple(Item(f"{n}@{domain}", None, None, 0.5, None) for n in range(items)),
        total=items,
        stored_at="2026-11-24T12:00:00.000Z",
        collected_at="2026-11-24T11:59:00.000Z",
        job_id="j",
        run=run,
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


async def test_what_is_stored_is_what_is_loaded(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "q4" / "deep", PATIENCE)
    await storage.prepare("example.com")
    kept = await storage.store(document())
    assert kept is not None
    assert await storage.load("example.com") == kept
    data = (tmp_path / "q4" / "deep" / "example.com.json").read_bytes()
    assert (kept.sha256, kept.size) == (documents.digest(data), len(data))
    assert [path.name for path in (tmp_path / "q4" / "deep").iterdir()] == ["example.com.json"]


async def test_nothing_stored_is_none_and_nothing_to_remove(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, PATIENCE)
    assert await storage.load("example.com") is None
    assert not await storage.remove("example.com")


async def test_a_later_runs_document_is_never_replaced_by_an_earlier_one(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, PATIENCE)
    assert await storage.store(document(run=3)) is not None
    assert await storage.store(document(run=2, items=9)) is None
    loaded = await storage.load("example.com")
    assert loaded is not None
    assert (loaded.document.run, loaded.document.total) == (3, 2)
    assert names_in(tmp_path) == ["example.com.json"]
    assert await storage.store(document(run=3, items=4)) is not None
    assert await storage.store(document(run=4, items=5)) is not None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"domain": "example.com"}', documents.encode(document())[:-9]]
)
async def test_a_damaged_document_is_set_aside_and_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "example.com.json").write_bytes(content)
    storage = FolderStorage(tmp_path, PATIENCE)
    assert await storage.load("example.com") is None
    assert await storage.store(document()) is not None


async def test_the_document_of_another_domain_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "example.com.json").write_bytes(documents.encode(document(domain="other.example")))
    assert await FolderStorage(tmp_path, PATIENCE).load("example.com") is None


async def test_leftovers_of_a_killed_run_are_cleared_away_but_only_of_this_domain(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, PATIENCE)
    ours = files.temporary(tmp_path, "example.com")
    others = files.temporary(tmp_path, "example.com.evil.example")
    ours.write_bytes(b"half")
    others.write_bytes(b"half")
    await storage.prepare("example.com")
    assert names_in(tmp_path) == [others.name]


@pytest.mark.usefixtures("umask")
async def test_files_are_for_the_group_and_never_for_everybody(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "made", PATIENCE)
    await storage.store(document())
    assert stat.S_IMODE((tmp_path / "made" / "example.com.json").stat().st_mode) == 0o660
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) & 0o007 == 0


async def test_a_folder_made_on_a_groups_volume_stays_open_to_the_group(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o2770)  # noqa: PTH101, S103 - as a volume for a group is
    await FolderStorage(tmp_path / "q4", PATIENCE).prepare("example.com")
    assert stat.S_IMODE((tmp_path / "q4").stat().st_mode) == 0o2770


async def test_removing_leaves_nothing(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, PATIENCE)
    await storage.store(document())
    assert await storage.remove("example.com")
    assert names_in(tmp_path) == []


async def test_a_path_through_a_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFailedError, match="a part of the path is a file"):
        await FolderStorage(tmp_path / "file" / "x", PATIENCE).prepare("example.com")


async def test_a_folder_that_can_not_exist_is_named() -> None:
    with pytest.raises(StorageFailedError, match=r"/proc/novahunt can't be used"):
        await FolderStorage(Path("/proc/novahunt"), PATIENCE).prepare("example.com")


async def test_a_name_that_is_too_long_for_the_file_system_is_a_storage_failure(tmp_path: Path) -> None:
    domain = ".".join(["a" * 62] * 4) + ".c"
    storage = FolderStorage(tmp_path, PATIENCE)
    await storage.prepare(domain)
    with pytest.raises(StorageFailedError, match="so long a name"):
        await storage.store(document(domain=domain))
    assert names_in(tmp_path) == []


async def test_the_file_is_on_the_disk_before_it_is_renamed_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    storage = FolderStorage(tmp_path, PATIENCE)
    await storage.store(document())
    await storage.remove("example.com")
    assert steps == ["file", "rename", "folder", "folder"]


async def test_a_reader_sees_the_old_or_the_new_document_and_never_a_part(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, PATIENCE)
    await storage.store(document(items=1))
    done, seen = threading.Event(), set[int]()

    def read() -> None:
        while not done.is_set():
            seen.add(documents.decode((tmp_path / "example.com.json").read_bytes()).total)

    reading = asyncio.create_task(asyncio.to_thread(read))
    for _ in range(20):
        await storage.store(document(items=2000))
        await storage.store(document(items=1))
    done.set()
    await reading
    assert seen <= {1, 2000}


async def test_memory_takes_the_place_of_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    output = BytesIO()
    storage = FolderOrMemoryStorage(FolderStorage(tmp_path / "file", PATIENCE), MemoryStorage(output.write))
    await storage.prepare("example.com")
    kept = await storage.store(document())
    assert kept is not None
    assert documents.decode(output.getvalue()) == document()
    assert await storage.load("example.com") == kept
    assert await storage.remove("example.com")
    assert await storage.load("example.com") is None


async def test_a_folder_that_hangs_is_not_waited_for_again_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await FolderStorage(tmp_path, PATIENCE).store(document())
    storage = FolderOrMemoryStorage(FolderStorage(tmp_path, 0.05), MemoryStorage(BytesIO().write))
    answers = threading.Event()
    monkeypatch.setattr(files, "probe", lambda _: answers.wait(PATIENCE))
    try:
        await storage.prepare("example.com")
        assert storage.in_memory
        # It would be read if it were asked for.
        assert await storage.load("example.com") is None
    finally:
        answers.set()


async def test_memory_takes_over_even_after_the_addresses_are_paid_for(tmp_path: Path) -> None:
    output = BytesIO()
    folder = tmp_path / "f"
    storage = FolderOrMemoryStorage(FolderStorage(folder, PATIENCE), MemoryStorage(output.write))
    await storage.prepare("example.com")
    folder.rmdir()
    folder.write_text("now a file")
    assert await storage.store(document()) is not None
    assert msgspec.json.decode(output.getvalue(), type=Document) == document()
