"""What the fuzzers call: one function for each reader of bytes that others wrote, with what must hold of its answer.

A function returns when the bytes were read, or were refused with the reader's own error; anything else is a defect.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from novahunt_client import lists
from novahunt_collector import answers, checkpoint, paging
from novahunt_collector.classifier import classify
from novahunt_collector.errors import REASONS, KeyRefusedError, PlanLimitError
from novahunt_collector.items import Items, to_item, to_items
from novahunt_collector.refusals import read_refusal, read_retry_after
from novahunt_collector.suppression import NotAnEntryError, fold, lists_of
from novahunt_contract import document, domains, errands, receipt, wanted
from novahunt_contract.document import MAX_SOURCES, Item

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEN_YEARS = 10 * 365 * 86_400.0


def answer_page(data: bytes) -> None:
    """Read a page of addresses; both readings agree on what each of them can read."""
    try:
        page = answers.read_page(data)
    except answers.UnreadableAnswerError:
        return
    assert page.received >= len(page.entries)
    assert page.results is None or page.results >= 0
    for entry in page.entries:
        _check_item(to_item(entry))
    with suppress(answers.UnreadableAnswerError):
        assert _said_by(answers._read_patiently(data)) == _said_by(page)


def answer_account(data: bytes) -> None:
    """Read what a plan has left."""
    with suppress(answers.UnreadableAnswerError):
        left = answers.read_searches_left(data)
        assert left is None or not math.isnan(left)


def answer_count(data: bytes) -> None:
    """Read the free counts."""
    with suppress(answers.UnreadableAnswerError):
        count = answers.read_email_count(data)
        assert all(number is None or number >= 0 for number in (count.total, count.personal, count.generic))


def refusal(data: bytes) -> None:
    """Take a refusal apart and classify it: two bytes of status, a line of Retry-After, and the body."""
    status = int.from_bytes(data[:2]) % 1200
    header, _, body = data[2:].partition(b"\n")
    read = read_refusal(status, body, header.decode("latin-1") or None, NOW)
    error = classify(read)
    assert type(error) in REASONS
    assert status != 401 or type(error) is KeyRefusedError
    assert not isinstance(error, PlanLimitError) or error.shown >= 0
    # Our own words, and an identifier of small letters: nothing of the body's.
    assert len(str(error)) < 200
    assert "@" not in str(error)
    assert str(error).isascii()


def retry_after(data: bytes) -> None:
    """Read a Retry-After."""
    text = data.decode("latin-1")
    seconds = read_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds <= TEN_YEARS
    if text.isascii() and text.isdigit():
        assert seconds == min(float(text), TEN_YEARS)


def receipt_of_a_run(data: bytes) -> None:
    """Read a receipt, and write it again."""
    with suppress(receipt.InvalidReceiptError):
        read = receipt.decode(data)
        with suppress(ValueError):
            again = receipt.encode(read)
            assert len(again) <= receipt.MAX_BYTES
            assert msgspec.structs.replace(receipt.decode(again), message="") == msgspec.structs.replace(
                read, message=""
            )


def receipt_of_an_errand(data: bytes) -> None:
    """Read an errand's receipt, and write it again."""
    with suppress(receipt.InvalidReceiptError):
        read = errands.decode(data)
        again = errands.decode(errands.encode(read))
        assert msgspec.structs.replace(again, message="") == msgspec.structs.replace(read, message="")


def stored_document(data: bytes) -> None:
    """Read a stored document; it is the same after it was written again."""
    with suppress(document.InvalidDocumentError):
        read = document.decode(data)
        assert read.total == len(read.items)
        assert document.decode(document.encode(read)) == read
        document.supersedes(read, read)


def domain(data: bytes) -> None:
    """Bring a domain to its one form; that form stays what it is."""
    text = data.decode(errors="replace")
    for _, entry in domains.read_list(text):
        assert entry == entry.strip()
        assert "#" not in entry
    try:
        name = domains.normalise(text)
    except domains.NotADomainError:
        return
    assert domains.normalise(name) == name
    assert name == name.lower()
    assert name.isascii()
    assert 3 <= len(name) <= 253
    assert "." in name
    assert not set(name) & set("@/:?# ")


def list_of_domains(data: bytes) -> None:
    """Read a list of domains: a first byte of 1 names its file as a table; no heading shows somebody's address."""
    try:
        found = lists.read(lists.decoded(data[1:]), "list", file_name="a.csv" if data[:1] == b"\x01" else "")
    except lists.UnreadableListError:
        return
    assert "@" not in found.how
    whole = wanted.resolve(found.entries)
    assert len(lists.repeats(found.entries)) == whole.duplicates
    assert len(whole.domains) + len(whole.invalid) + whole.duplicates == len(found.entries)


def suppression_entry(data: bytes) -> None:
    """Fold an entry of a suppression list: its form stays what it is, and what was written is what is held back."""
    text = data.decode(errors="replace")
    try:
        folded = fold(text)
    except NotAnEntryError:
        return
    assert fold(folded) == folded
    lists = lists_of([folded])
    if "@" not in folded:
        assert lists.name_domain(folded)
        assert lists.name_address(f"ada@{folded}")
    elif folded.startswith("@"):
        assert lists.name_address(f"ada{folded}")
    else:
        assert lists.name_address(text)
        assert lists.name_address(text.strip().lower())


def saved_pages(data: bytes) -> None:
    """Read a checkpoint; after a first byte of 1 each line gets a sum that fits, so that the sums hide nothing."""
    content = data[1:]
    if data[:1] == b"\x01":
        before, lines = "", []
        for payload in content.split(b"\n")[:-1]:
            line, before = checkpoint.seal(payload, before)
            lines.append(line)
        content = b"".join(lines)
    with suppress(checkpoint.InvalidCheckpointError):
        read = checkpoint.decode(content)
        assert checkpoint.decode(checkpoint.encode(read)) == read
        checkpoint.unfit(read, domain=read.header.domain, search_hash="", not_before=NOW)
        _go_on(read)


def _said_by(page: answers.Page) -> tuple[object, ...]:
    """Return what the collector makes of a page."""
    return to_items(page.entries), page.received, page.results, page.approximate


def _go_on(read: checkpoint.Checkpoint) -> None:
    """Do what a run does with saved pages: nothing in them may bring it down."""
    limits = paging.Limits(page_size=read.header.page_size, max_results=5000, max_offset=10_000)
    progress, items = paging.Progress(), Items()
    for page in read.pages:
        items.add(page.items)
        ask = paging.Ask(page.number, page.offset, page.limit)
        progress = paging.after_page(
            progress, ask, received=page.received, results=page.results, approximate=page.approximate, new=page.new
        )
        assert 0 <= paging.percent(progress, limits) <= 99
    step = paging.next_step(progress, limits)
    assert isinstance(step, paging.Finish) or (step.offset == sum(page.limit for page in read.pages) and step.limit > 0)
    msgspec.json.encode(items.in_order())


def _check_item(item: Item | None) -> None:
    if item is None:
        return
    assert 0 <= item.confidence <= 1
    assert item.email == item.email.strip()
    assert item.email
    assert len(item.sources) <= MAX_SOURCES
    assert item.source == (item.sources[0].uri if item.sources else None)
    # What can't be written would be found out after it was paid for.
    assert msgspec.json.decode(msgspec.json.encode(item), type=Item) == item


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        answer_page, answer_account, answer_count, refusal, retry_after, receipt_of_a_run, receipt_of_an_errand,
        stored_document, domain, list_of_domains, suppression_entry, saved_pages,
    )
}  # fmt: skip
"""By the names of their folders in `corpus/`."""
