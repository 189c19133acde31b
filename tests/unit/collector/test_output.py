"""Standard output: each format is whole however many pieces it has, and a reader that goes ends it once."""

import csv
import io
import json
import os

import msgspec
import pytest

from novahunt_collector.errors import OutputClosedError, StorageFailedError
from novahunt_collector.output import Format, Output, frame_of, of_document
from novahunt_contract import tables
from novahunt_contract.document import Document, Item


def document(domain: str, *emails: str) -> Document:
    items = tuple(Item(email=email, name="Jo, Roe", title=None, confidence=0.5, source=None) for email in emails)
    return Document(domain, items, len(items), "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "collect-1")


TWO = (document("a.example", "jo@a.example", "jane@a.example"), document("b.example", "jo@b.example"))
NONE = document("c.example")


def written(chosen: Format, *documents: Document) -> bytes:
    stream = io.BytesIO()
    output = Output(frame_of(chosen, tables.header()), stream)
    for one in documents:
        output.add(of_document(chosen, one))
    output.close()
    return stream.getvalue()


@pytest.mark.parametrize("documents", [(), (NONE,), TWO, (NONE, *TWO)])
def test_json_is_one_array_of_the_stored_documents(documents: tuple[Document, ...]) -> None:
    assert msgspec.json.decode(written(Format.JSON, *documents), type=tuple[Document, ...]) == documents


def test_json_lines_are_addresses_with_their_domain() -> None:
    lines = [json.loads(line) for line in written(Format.JSONL, *TWO, NONE).splitlines()]
    assert [(line["domain"], line["email"]) for line in lines] == [
        ("a.example", "jo@a.example"),
        ("a.example", "jane@a.example"),
        ("b.example", "jo@b.example"),
    ]
    for line in lines:
        del line["domain"]
    assert msgspec.convert(lines[0], Item) == TWO[0].items[0]
    assert written(Format.JSONL, NONE) == b""


def test_csv_is_one_table_with_one_header() -> None:
    for documents in ((), (NONE,), TWO):
        text = written(Format.CSV, *documents).decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert rows[0] == list(tables.COLUMNS)
        assert [row[0] for row in rows[1:]] == [item.email for one in documents for item in one.items]
        assert text.count("\n") == text.count("\r\n") == len(rows)


def test_each_document_is_seen_before_the_next_one_comes() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream, os.fdopen(reading, "rb") as reader:
        output = Output(frame_of(Format.JSONL, ""), stream)
        output.add(of_document(Format.JSONL, TWO[0]))
        assert b"jo@a.example" in reader.readline()


class Broken(io.BytesIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def flush(self) -> None:
        self.tries += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "means"),
    [(BrokenPipeError(), OutputClosedError), (OSError(28, "No space left on device"), StorageFailedError)],
)
def test_output_that_fails_is_told_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, means: type[Exception]
) -> None:
    monkeypatch.setattr("novahunt_collector.output.detach_standard_output", lambda: None)
    stream = Broken(error)
    output = Output(frame_of(Format.JSON, ""), stream)
    with pytest.raises(means, match="standard output"):
        output.add(of_document(Format.JSON, NONE))
    output.close()
    assert stream.tries == 1


def test_a_process_without_standard_output_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OutputClosedError, match="no standard output"):
        Output(frame_of(Format.JSON, "")).add([b"x"])
