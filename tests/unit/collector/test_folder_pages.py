"""Checkpoints in a folder: durable page by page, one process at a time, never trusted when damaged, never left over."""

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from novahunt_collector.checkpoint import Checkpoint, Encoder, Header, SavedPage, decode, encode
from novahunt_collector.errors import StoppedError, StorageFailedError
from novahunt_collector.storage import checkpoints, files
from novahunt_collector.storage.checkpoints import FolderPages, checkpoint_path
from novahunt_collector.storage.folder import FolderStorage
from novahunt_contract.document import Item

DOMAIN = "example.com"
HEADER = Header(domain=DOMAIN, search_hash="v1-0", page_size=10, started="2026-11-24T12:00:00.000Z")


def page(number: int) -> SavedPage:
    return SavedPage(
        number=number,
        offset=10 * (number - 1),
        limit=10,
        received=10,
        results=40,
        approximate=False,
        new=10,
        credits=1,
        requests=1,
        items=(Item(f"jane{number}@{DOMAIN}", "Jane Doe", None, 0.5, None),),
    )


def pages_in(folder: Path, patience: float = 20.0) -> FolderPages:
    return FolderPages(files.Folder(folder), DOMAIN, patience)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def saved(folder: Path, *numbers: int) -> FolderPages:
    """Return the log of a process that has saved these pages."""
    pages = pages_in(folder)
    await pages.begin(Checkpoint(HEADER))
    for number in numbers:
        await pages.append(page(number))
    return pages


async def loaded(folder: Path) -> tuple[SavedPage, ...] | None:
    found = await pages_in(folder).load()
    return None if found is None else found.pages


async def test_what_is_appended_is_there_for_the_next_process(tmp_path: Path) -> None:
    pages = await saved(tmp_path, 1, 2)
    assert pages.kept == 2
    found = await pages_in(tmp_path).load()
    assert found is not None
    assert msgspec.structs.replace(found.header, nonce="") == HEADER
    assert found.pages == (page(1), page(2))


async def test_nothing_is_kept_before_there_is_a_page(tmp_path: Path) -> None:
    pages = await saved(tmp_path)
    assert names_in(tmp_path) == []
    assert (pages.kept, await loaded(tmp_path)) == (0, None)


async def test_the_next_process_goes_on_with_the_same_file(tmp_path: Path) -> None:
    await saved(tmp_path, 1, 2)
    second = pages_in(tmp_path)
    found = await second.load()
    assert found is not None
    await second.begin(found)
    assert second.kept == 2
    await second.append(page(3))
    assert await loaded(tmp_path) == (page(1), page(2), page(3))
    assert len(names_in(tmp_path)) == 1


async def test_each_page_is_on_the_disk_before_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace, write = os.fsync, Path.replace, os.write

    def seen_fsync(descriptor: int) -> None:
        steps.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    def seen_write(descriptor: int, data: memoryview) -> int:
        steps.append("append")
        return write(descriptor, data)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    monkeypatch.setattr(os, "write", seen_write)
    pages = await saved(tmp_path, 1, 2)
    await pages.remove()
    assert steps == ["sync file", "rename", "sync folder", "append", "sync file", "sync folder"]


async def test_it_has_the_rights_of_documents_and_a_hidden_name_that_does_not_tell_the_domain(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        await saved(tmp_path, 1)
    finally:
        os.umask(before)
    path = checkpoint_path(tmp_path, DOMAIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert path.name.startswith(".novahunt-")
    assert path.name.endswith(".checkpoint")


async def test_no_page_is_left_when_they_are_removed(tmp_path: Path) -> None:
    pages = await saved(tmp_path, 1, 2)
    await pages.remove()
    assert (names_in(tmp_path), pages.kept) == ([], 0)
    await pages.remove()


async def test_a_domain_whose_document_is_removed_loses_its_pages_too(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, 20.0)
    await saved(tmp_path, 1)
    assert await storage.remove(DOMAIN)
    assert names_in(tmp_path) == []
    assert not await storage.remove(DOMAIN)


async def test_pages_that_went_with_the_document_are_not_told_as_kept(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path, 20.0)
    pages, other = storage.pages(DOMAIN), storage.pages("other.example")
    for log in (pages, other):
        await log.begin(Checkpoint(HEADER))
        await log.append(page(1))
    await storage.remove(DOMAIN)
    assert (pages.kept, other.kept) == (0, 1)


async def test_leftovers_of_a_killed_run_are_cleared_away_and_its_pages_are_not(tmp_path: Path) -> None:
    await saved(tmp_path, 1)
    files.temporary(tmp_path, DOMAIN).write_bytes(b"half")
    await FolderStorage(tmp_path, 20.0).prepare(DOMAIN)
    assert names_in(tmp_path) == [checkpoint_path(tmp_path, DOMAIN).name]


# ---------------------------------------------------------------------- damaged


async def test_a_line_that_a_crash_cut_off_is_dropped_and_the_file_goes_on_from_the_last_good_one(
    tmp_path: Path,
) -> None:
    await saved(tmp_path, 1, 2)
    path = checkpoint_path(tmp_path, DOMAIN)
    path.write_bytes(path.read_bytes()[:-7])
    second = pages_in(tmp_path)
    found = await second.load()
    assert found is not None
    assert found.pages == (page(1),)
    await second.begin(found)
    await second.append(page(2))
    assert await loaded(tmp_path) == (page(1), page(2))


def changed_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def other_version(path: Path) -> None:
    header = msgspec.structs.replace(HEADER, version=2)
    path.write_bytes(encode(Checkpoint(header, (page(1),))))


def second_line_twice(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[-1]]))


def pipe_in_its_place(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def too_large(path: Path) -> None:
    os.truncate(path, checkpoints.MAX_BYTES + 1)


def link_in_its_place(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "n")
    (path.parent / "n").write_bytes(b"jane1@example.com")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (changed_byte, "does not fit its checksum"),
        (lambda path: path.write_bytes(b""), "no whole line"),
        (lambda path: path.write_bytes(b"jane1@example.com\n"), "line 1 does not fit"),
        (other_version, "format version 2"),
        (second_line_twice, "line 4 does not fit"),
        (pipe_in_its_place, "it is no file"),
        (too_large, "and may have"),
        (link_in_its_place, "it is no file"),
    ],
)
async def test_a_damaged_one_is_removed_and_named_without_its_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], words: str
) -> None:
    await saved(tmp_path, 1, 2)
    path = checkpoint_path(tmp_path, DOMAIN)
    damage(path)
    with caplog.at_level(logging.WARNING):
        assert await loaded(tmp_path) is None
    assert words in caplog.text
    assert str(path) in caplog.text
    assert "jane" not in caplog.text.lower()
    assert path.name not in names_in(tmp_path)


async def test_a_folder_in_its_place_is_a_storage_failure_that_names_it(tmp_path: Path) -> None:
    path = checkpoint_path(tmp_path, DOMAIN)
    path.mkdir()
    with pytest.raises(StorageFailedError, match=path.name):
        await loaded(tmp_path)


class _KilledError(BaseException):
    """Stands for the end of the process; what it had not forced to the disk may be lost."""


@pytest.mark.parametrize("step", range(20))
def test_a_kill_at_any_step_leaves_the_pages_that_were_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    steps = iter(range(1000))

    def counted(real: Callable[..., object], *, halved: bool = False) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if next(steps) == step:
                if halved:
                    descriptor, data = arguments
                    real(descriptor, memoryview(data)[: len(data) // 2])  # type: ignore[arg-type]
                raise _KilledError
            return real(*arguments)

        return call

    for name in ("fsync", "open", "close"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    monkeypatch.setattr(os, "write", counted(os.write, halved=True))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    pages = pages_in(tmp_path)
    pages._header = HEADER
    durable = 0
    with contextlib.suppress(_KilledError):
        pages._write(Checkpoint(HEADER, (page(1),)))
        for durable in (1, 2):
            pages._append(page(durable + 1))
        durable = 3
    monkeypatch.undo()
    found = pages_in(tmp_path)._load()
    left = () if found is None else found.pages
    # The page in hand may be there as well: it was written, and the kill came before anybody was told.
    assert left in (tuple(map(page, range(1, durable + 1))), tuple(map(page, range(1, durable + 2))))
    assert (next(steps) > step) or durable == 3


# ---------------------------------------------------------------------- two processes at once


async def test_the_process_that_came_last_goes_on_and_the_earlier_one_ends_at_its_next_page(tmp_path: Path) -> None:
    earlier = await saved(tmp_path, 1, 2)
    later = pages_in(tmp_path)
    found = await later.load()
    assert found is not None
    await later.begin(found)
    with pytest.raises(StoppedError, match="taken this domain over"):
        await earlier.append(page(3))
    await later.append(page(3))
    with pytest.raises(StoppedError):
        await earlier.append(page(3))
    assert await loaded(tmp_path) == (page(1), page(2), page(3))


async def test_the_earlier_process_does_not_remove_what_the_later_one_saved(tmp_path: Path) -> None:
    earlier = await saved(tmp_path, 1)
    later = pages_in(tmp_path)
    found = await later.load()
    assert found is not None
    await later.begin(found)
    await earlier.remove()
    await later.append(page(2))
    assert await loaded(tmp_path) == (page(1), page(2))


async def test_a_process_that_wrote_nothing_removes_what_it_loaded(tmp_path: Path) -> None:
    await saved(tmp_path, 1)
    answered = pages_in(tmp_path)
    await answered.load()
    await answered.remove()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("before", [(), (1,), (1, 2, 3)])
async def test_a_process_that_wrote_nothing_does_not_remove_what_another_one_saved_since(
    tmp_path: Path, before: tuple[int, ...]
) -> None:
    first = await saved(tmp_path, *before)
    answered = pages_in(tmp_path)
    await answered.load()
    # Another one asks everything anew.
    await first.remove()
    other = await saved(tmp_path, 1, 2)
    await answered.remove()
    await other.append(page(3))
    assert await loaded(tmp_path) == (page(1), page(2), page(3))


async def test_of_two_that_begin_at_once_the_one_that_saves_last_goes_on(tmp_path: Path) -> None:
    one, other = await saved(tmp_path), await saved(tmp_path)
    await one.append(page(1))
    await other.append(page(1))
    with pytest.raises(StoppedError):
        await one.append(page(2))
    await other.append(page(2))
    assert await loaded(tmp_path) == (page(1), page(2))


async def test_even_lines_that_got_into_one_file_are_not_trusted(tmp_path: Path) -> None:
    # Where a file server lets two clients append to one file after all: their lines don't fit each other.
    await saved(tmp_path, 1)
    path = checkpoint_path(tmp_path, DOMAIN)
    ours, theirs = Encoder(), Encoder()
    header = msgspec.structs.replace(HEADER, nonce="1")
    begin = [ours.header(header), ours.page(page(1))]
    theirs.header(header)
    theirs.page(page(1))
    path.write_bytes(b"".join([*begin, ours.page(page(2)), theirs.page(page(2))]))
    assert await loaded(tmp_path) is None
    assert not path.exists()


async def test_pages_that_somebody_removed_end_the_process_that_saved_them(tmp_path: Path) -> None:
    pages = await saved(tmp_path, 1)
    checkpoint_path(tmp_path, DOMAIN).unlink()
    with pytest.raises(StoppedError, match="removed"):
        await pages.append(page(2))


# ---------------------------------------------------------------------- a folder that fails


async def test_a_folder_that_vanished_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    pages = await saved(folder, 1)
    checkpoint_path(folder, DOMAIN).unlink()
    folder.rmdir()
    with pytest.raises(StorageFailedError, match="there is no such folder"):
        await pages.append(page(2))


async def test_a_page_that_does_not_fit_leaves_those_before_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = await saved(tmp_path, 1, 2)
    path = checkpoint_path(tmp_path, DOMAIN)
    good = path.read_bytes()
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) <= 50:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:50])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFailedError, match="no space is left"):
        await pages.append(page(3))
    assert path.read_bytes() == good
    assert pages.kept == 2


async def test_a_folder_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An fsync that does not come back is what a lost file server does; here a pipe without a reader plays it.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = tmp_path / "c"
    folder.mkdir()
    pages = pages_in(folder, patience=0.2)
    await pages.begin(Checkpoint(HEADER))
    monkeypatch.setattr(os, "fsync", lambda _: pipe.read_bytes())
    with pytest.raises(StorageFailedError, match=r"did not answer within 0\.2 s"):
        await pages.append(page(1))
    assert pages.kept == 0
    monkeypatch.undo()
    os.close(os.open(pipe, os.O_WRONLY))


async def test_appending_many_pages_gives_the_file_that_writing_them_at_once_gives(tmp_path: Path) -> None:
    await saved(tmp_path, *range(1, 31))
    data = await asyncio.to_thread(checkpoint_path(tmp_path, DOMAIN).read_bytes)
    assert encode(decode(data)) == data
