"""Lists of domains: files and standard input, and all that is wrong with them at once."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from novahunt_collector import domain_lists
from novahunt_collector.errors import UsageError

SIGNAL_JUST_BEFORE_READING = """
import ctypes, functools, io, operator, os, signal, sys
from novahunt_collector import domain_lists

class Input(io.RawIOBase):
    def read(self, size=-1):
        # One call of C for both: no instruction lies between them at which Python would hear the signal.
        interrupt = functools.partial(ctypes.CDLL(None)["raise"], signal.SIGINT)
        list(map(operator.call, [interrupt, functools.partial(os.read, 0, 1)]))

signal.signal(signal.SIGINT, lambda *_: os._exit(130))
sys.stdin = io.TextIOWrapper(Input())
list(domain_lists.of_files(["-"]))
"""


def written(place: Path, data: str | bytes) -> str:
    place.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(place)


def test_a_list_holds_one_domain_a_line_with_comments(tmp_path: Path) -> None:
    name = written(tmp_path / "leads", "# ours\nA.example # the first\r\n\r\nhttps://b.example/x\rA.EXAMPLE\n")
    assert domain_lists.normalised(domain_lists.of_files([name])) == ("a.example", "b.example")


def test_several_lists_are_one(tmp_path: Path) -> None:
    names = [written(tmp_path / "1", "a.example\n"), written(tmp_path / "2", "b.example\na.example")]
    assert domain_lists.normalised(domain_lists.of_files(names)) == ("a.example", "b.example")


def test_a_list_saved_by_a_spreadsheet_begins_with_a_mark_that_is_no_part_of_the_domain(tmp_path: Path) -> None:
    name = written(tmp_path / "leads", b"\xef\xbb\xbfb\xc3\xbccher.example\r\n")
    assert domain_lists.normalised(domain_lists.of_files([name])) == ("xn--bcher-kva.example",)


def test_standard_input_is_a_list_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.example\njane@example.com\n")))
    with pytest.raises(UsageError, match="standard input line 2 is no domain"):
        domain_lists.normalised(domain_lists.of_files(["-"]))


def test_all_wrong_entries_are_named_by_file_and_line_and_none_is_repeated(tmp_path: Path) -> None:
    first = written(tmp_path / "first.txt", "a.example\nlocalhost\n\njane@example.com\n")
    second = written(tmp_path / "second.txt", "10.0.0.1\n")
    entries = [*domain_lists.of_arguments(["b.example", "x y"]), *domain_lists.of_files([first, second])]
    with pytest.raises(UsageError) as raised:
        domain_lists.normalised(entries)
    lines = str(raised.value).splitlines()
    assert [line.partition(" is no domain")[0] for line in lines[:-1]] == [
        "argument 2",
        f"{first} line 2",
        f"{first} line 4",
        f"{second} line 1",
    ]
    assert lines[-1].startswith("4 entries are no domains")
    for entry in ("localhost", "jane", "10.0.0.1", "x y"):
        assert entry not in str(raised.value)


@pytest.mark.parametrize(
    ("data", "words"), [(None, "No such file or directory"), (b"a.example\n\xff\xfe", r"no UTF-8 text \(byte 11\)")]
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, data: bytes | None, words: str) -> None:
    place = tmp_path / "leads"
    if data is not None:
        place.write_bytes(data)
    with pytest.raises(UsageError, match=words) as raised:
        list(domain_lists.of_files([str(place)]))
    assert str(place) in str(raised.value)


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        list(domain_lists.of_files([str(tmp_path)]))


def test_a_process_without_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input can't be read"):
        list(domain_lists.of_files(["-"]))


def test_a_signal_is_heard_even_just_before_a_pipe_is_read_that_nobody_writes_to() -> None:
    reading, writing = os.pipe()
    try:
        command = [sys.executable, "-c", SIGNAL_JUST_BEFORE_READING]
        process = subprocess.run(command, check=False, stdin=reading, timeout=60)
    finally:
        os.close(reading)
        os.close(writing)
    assert process.returncode == 130
