"""The files of suppression lists: read whole or not at all, again whenever they change, and never quoted."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from novahunt_collector.errors import SuppressionListError
from novahunt_collector.settings import ListFile
from novahunt_collector.suppression_files import MAX_LINE, SuppressionFiles

NAME = "Secret do-not-contact, key list.txt"


def files(*paths: Path) -> SuppressionFiles:
    return SuppressionFiles([ListFile(NAME, str(path)) for path in paths], patience=20.0)


async def test_lists_have_comments_blank_lines_and_any_line_end(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"\xef\xbb\xbf# asked by letter\r\nJane@Example.com  # 2026-03-01\r\n\r\n@example.org\r")
    other.write_text("Bücher.example", encoding="utf-8")
    lists = await files(one, other).read()
    assert lists.entries == {"jane@example.com", "@example.org", "xn--bcher-kva.example"}


async def test_without_files_there_are_no_lists() -> None:
    assert (await files().read()).digest == ""


async def test_a_list_that_holds_nothing_yet_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"")
    lists = await files(tmp_path / "list").read()
    assert (lists.entries, lists.digest != "") == (frozenset(), True)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"jane@example.com\nsecretname\n", 2, "can't be understood"),
        (b"# x\n\n\nsecretname <secretname@example.com>", 4, "can't be understood"),
        (b"a@example.com\rb@example.com\r\nsecretname@", 3, "can't be understood"),
        ("a@example.com\nsecretname-jürgen@example.com".encode("latin-1"), 2, "UTF-8"),
        ("secretname@example.com".encode("utf-16"), 1, "UTF-8"),
        ("secretname@example.com".encode("utf-16-be"), 1, "can't be understood"),
        (b"a@example.com\n# " + b"x" * MAX_LINE, 2, "longer than"),
    ],
)
async def test_a_line_that_is_no_entry_is_named_and_never_repeated(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(SuppressionListError) as refusal:
        await files(tmp_path / "list").read()
    assert str(refusal.value).startswith(f"{NAME}: line {line} ")
    assert words in str(refusal.value)
    assert "secretname" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def _missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "words"), [(_missing, "No such file"), (Path.mkdir, "Is a directory"), (os.mkfifo, "is no file")]
)
async def test_what_can_not_be_read_is_named(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / "list")
    with pytest.raises(SuppressionListError, match=words) as refusal:
        await files(tmp_path / "list").read()
    assert NAME in str(refusal.value)


async def test_a_list_that_is_replaced_is_read_anew_and_one_that_is_gone_is_missed(tmp_path: Path) -> None:
    # As the kubelet does: the mounted file is a link that is moved to a new folder in one step.
    for number, text in enumerate(("jane@example.com", "jane@example.com\n@example.org")):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "list").write_text(text)
    link = tmp_path / "list"
    link.symlink_to(tmp_path / "0" / "list")
    lists = files(link)
    first = await lists.read()
    assert (await lists.read()) is first
    (tmp_path / "next").symlink_to(tmp_path / "1" / "list")
    (tmp_path / "next").rename(link)
    second = await lists.read()
    assert second.entries == {"jane@example.com", "@example.org"}
    assert second.digest != first.digest
    link.unlink()
    with pytest.raises(SuppressionListError):
        await lists.read()


async def test_a_change_in_place_is_seen_even_if_size_and_time_stay(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("jane@example.com")
    lists = files(path)
    assert (await lists.read()).name_address("jane@example.com")
    before = path.stat()
    path.write_text("joan@example.com")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await lists.read()).name_address("joan@example.com")


async def test_a_hundred_thousand_entries_are_read(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("".join(f"person.{number}@company-{number}.example\n" for number in range(100_000)))
    lists = await files(tmp_path / "list").read()
    assert len(lists.entries) == 100_000
    assert lists.name_address("person.99999@company-99999.example")
