"""A part of the cache is whole or not there at all, and two builders make it once."""

import threading
from pathlib import Path

import pytest

from devcluster.cache import Entry, digest, locked


def test_a_part_is_built_once(tmp_path: Path) -> None:
    entry = Entry(tmp_path, "part", "1")
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        (folder / "file").write_text("content")

    assert entry.ensure(build) == entry.ensure(build) == tmp_path / "part-1"
    assert (entry.path / "file").read_text() == "content"
    assert len(builds) == 1


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    entry = Entry(tmp_path, "part", "1")

    def build(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        entry.ensure(build)
    assert not entry.present
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".part.partial-1"
    left.mkdir()
    (left / "half").write_text("")
    Entry(tmp_path, "part", "1").ensure(lambda _: None)
    assert not left.exists()


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    entry = Entry(tmp_path, "part", "1")
    builds: list[Path] = []
    begun = threading.Event()
    go_on = threading.Event()

    def build(folder: Path) -> None:
        builds.append(folder)
        begun.set()
        assert go_on.wait(10)

    builders = [threading.Thread(target=entry.ensure, args=(build,)) for _ in range(2)]
    for builder in builders:
        builder.start()
    assert begun.wait(10)
    go_on.set()
    for builder in builders:
        builder.join(10)
    assert len(builds) == 1
    assert entry.present


def test_other_inputs_have_another_key() -> None:
    assert digest(b"a", b"bc") != digest(b"ab", b"c")
    assert digest(b"a") == digest(b"a")


def test_a_lock_whose_file_was_removed_meanwhile_still_keeps_others_out(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(50):
            with locked(file):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
                file.unlink()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(most) == 200
    assert max(most) == 1
