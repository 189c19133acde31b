"""Suppression lists: an entry names what a person would take it for, in any case and spelling, and nothing else."""

import unicodedata
from collections.abc import Callable
from typing import Literal

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from novahunt_collector.suppression import Lists, NotAnEntryError, Sieve, fold, lists_of, without_listed
from novahunt_contract.document import Document, Item


def lists(*entries: str) -> Lists:
    return lists_of(map(fold, entries))


def item(email: str) -> Item:
    return Item(email, None, None, 0.5, None)


@pytest.mark.parametrize(
    ("entry", "form"),
    [
        ("jane@example.com", "jane@example.com"),
        ("  JANE.Doe@Example.COM. ", "jane.doe@example.com"),
        ("jane+leads@www.example.com", "jane+leads@www.example.com"),
        ("o'hara&co@example.com", "o'hara&co@example.com"),
        ("jane%doe@example.com", "jane%doe@example.com"),
        ("JANE@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"),
        ("STRASSE@straße.example", "strasse@xn--strae-oqa.example"),
        ("Straße@example.com", "strasse@example.com"),
        ("ＪＡＮＥ＠ｅｘａｍｐｌｅ．ｃｏｍ", "jane@example.com"),
        ("ja\u200bne@exam\u00adple.com\u200b", "jane@example.com"),
        ("jane@example。com", "jane@example.com"),
        ("@example.com", "@example.com"),
        ("@WWW.Example.com", "@www.example.com"),
        (" @ Bücher.example", "@xn--bcher-kva.example"),
        ("example.com", "example.com"),
        ("WWW.Example.com.", "example.com"),
        ("https://www.bücher.example/kontakt", "xn--bcher-kva.example"),
    ],
)
def test_every_way_to_write_an_entry_leads_to_one_form(entry: str, form: str) -> None:
    assert fold(entry) == form


@pytest.mark.parametrize(
    "entry",
    [
        "secretname",
        "secretname@localhost",
        "secretname@192.0.2.1",
        "secretname@[192.0.2.1]",
        "secretname@",
        "@",
        "@@example.com",
        "secretname@example..com",
        "secretname@sub_domain.example",
        "Secretname <secretname@example.com>",
        "<secretname@example.com>",
        "mailto:secretname@example.com",
        "secretname@example.com;other@example.com",
        "secretname@example.com, asked by telephone",
        "secret name@example.com",
        '"secretname"@example.com',
        "secretname\x00@example.com",
        "*@secretname.example",
        "%@secretname.example",
        "secretname*@example.com",
        "*.secretname.example",
        "192.0.2.1",
        "secretname.example;other.example",
        "a" * 3000 + "@" + "b" * 3000,
    ],
)
def test_what_is_no_entry_is_refused_and_not_repeated(entry: str) -> None:
    with pytest.raises(NotAnEntryError) as refusal:
        fold(entry)
    assert "secretname" not in str(refusal.value).lower()
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("entry", "named", "not_named"),
    [
        (
            "jane@example.com",
            ["jane@example.com", "Jane@EXAMPLE.com", " jane@example.com."],
            ["janet@example.com", "jane@mail.example.com", "jane@example.org", "jane.doe@example.com", "example.com"],
        ),
        (
            "@example.com",
            ["jane@example.com", "info@Example.com", "jane@mail.example.com", "jane@odd_label.example.com"],
            ["jane@notexample.com", "jane@example.com.evil.example", "example.com@example.org"],
        ),
        ("example.com", ["jane@example.com", "jane@a.b.example.com"], ["jane@counterexample.com", "jane@example.org"]),
        (
            "JANE@BÜCHER.example",
            ["jane@xn--bcher-kva.example", "jane@bücher.example", "JANE@bu\u0308cher.EXAMPLE"],
            ["jane@bucher.example", "jane@buecher.example"],
        ),
        ("@mail.example.com", ["jane@mail.example.com"], ["jane@example.com", "jane@mail2.example.com"]),
        ("@www.example.com", ["jane@www.example.com"], ["jane@example.com"]),
        ("jürgen@example.com", ["JÜRGEN@example.com", "ju\u0308rgen@example.com"], ["jurgen@example.com"]),
    ],
)
def test_an_entry_names_these_addresses_and_not_those(entry: str, named: list[str], not_named: list[str]) -> None:
    of_entry = lists(entry)
    assert [address for address in named if not of_entry.name_address(address)] == []
    assert [address for address in not_named if of_entry.name_address(address)] == []


@pytest.mark.parametrize(
    ("entry", "domain", "named"),
    [
        ("example.com", "example.com", True),
        ("www.example.com", "example.com", True),
        ("example.com", "shop.example.com", True),
        ("shop.example.com", "example.com", False),
        ("example.com", "counterexample.com", False),
        ("Bücher.example", "xn--bcher-kva.example", True),
        # All addresses there are named, but the domain may be asked for: its people may have others.
        ("@example.com", "example.com", False),
        ("jane@example.com", "example.com", False),
    ],
)
def test_only_a_domain_alone_keeps_a_domain_from_being_collected(entry: str, domain: str, *, named: bool) -> None:
    assert lists(entry).name_domain(domain) is named


def test_without_lists_nothing_is_named_and_the_digest_is_empty() -> None:
    assert Lists().digest == ""
    assert not Lists().name_address("jane@example.com")
    assert not Lists().name_domain("example.com")
    # A list that is there, and holds nothing yet, is one.
    assert lists().digest != ""


def test_the_digest_names_the_entries_whatever_their_order_spelling_and_number() -> None:
    one = lists("jane@example.com", "Bücher.example", "@example.org")
    other = lists("@Example.org", "xn--bcher-kva.example", "JANE@example.com", "jane@example.com")
    assert one.digest == other.digest
    assert len(one.digest) == 32
    assert int(one.digest, 16)
    # Golden: the operator compares digests of collectors of several versions.
    assert lists("jane@example.com").digest == "06ea9bdc29aabedcf263de07e6ab699c"
    assert len({one.digest, lists("jane@example.com").digest, lists().digest, lists("@example.com").digest}) == 4


def _is_local(text: str) -> bool:
    try:
        return not fold(f"{text}@example.com").startswith("@")
    except NotAnEntryError:
        return False


_local_parts = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=8
).filter(_is_local)
_domains = st.sampled_from(["example.com", "bücher.example", "straße.example", "日本.example", "a.b.example.org"])
_Change = Callable[[str], str]
_CHANGES: tuple[_Change, ...] = (str.upper, str.lower, str.title, str.casefold, str.swapcase, str)
_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


@st.composite
def spellings(draw: st.DrawFn, text: str) -> str:
    """Return another spelling of the same address."""
    local, _, host = text.rpartition("@")
    change = draw(st.sampled_from(_CHANGES))
    form = draw(st.sampled_from(_FORMS))
    local = unicodedata.normalize(form, change(local))
    # Upper case of ß is SS, which is another domain.
    host = "".join(letter.upper() if draw(st.booleans()) and letter != "ß" else letter for letter in host)
    if draw(st.booleans()):
        host = fold(f"@{host}").removeprefix("@")
    return f"{local}@{unicodedata.normalize(form, host)}{draw(st.sampled_from(['', '.', ' ', '。']))}"


@given(st.data(), _local_parts, _domains)
def test_every_spelling_of_an_entry_is_named_by_every_other(data: st.DataObject, local: str, domain: str) -> None:
    one = data.draw(spellings(f"{local}@{domain}"))
    other = data.draw(spellings(f"{local}@{domain}"))
    assert lists(one).name_address(other)
    assert lists(f"@{domain}").name_address(one)
    assert lists(domain).name_address(one)


@given(_local_parts, _domains, _local_parts, _domains)
@example("jane", "example.com", "jane.", "example.com")
def test_an_address_names_no_other(local: str, domain: str, other_local: str, other_domain: str) -> None:
    assume(fold(f"{local}@{domain}") != fold(f"{other_local}@{other_domain}"))
    assert not lists(f"{local}@{domain}").name_address(f"{other_local}@{other_domain}")


@given(st.text(max_size=40) | st.builds("{}@{}".format, st.text(max_size=10), _domains))
@example("İ@example.com")
@example("\u0345@example.com")
def test_folding_twice_is_folding_once_and_what_folds_names_itself(text: str) -> None:
    try:
        once = fold(text)
    except NotAnEntryError:
        return
    assert fold(once) == once
    if "@" in once and not once.startswith("@"):
        assert lists(text).name_address(text)


def test_the_sieve_keeps_the_order_and_counts_each_address_once() -> None:
    sieve = Sieve(lists("jane@example.com", "@example.org"))
    first = [item("a@example.com"), item("jane@example.com"), item("b@example.com")]
    assert [one.email for one in sieve.passed(first)] == ["a@example.com", "b@example.com"]
    assert sieve.passed([item("jane@example.com"), item("x@example.org")]) == ()
    assert sieve.held_back == 2


def document(*emails: str, suppressed: int = 0) -> Document:
    return Document(
        domain="example.com",
        items=tuple(map(item, emails)),
        total=len(emails),
        stored_at="2026-11-24T12:00:00.000Z",
        collected_at="2026-11-24T11:59:00.000Z",
        job_id="collect-example.com-1",
        run=3,
        reported=9,
        credits=1,
        suppressed=suppressed,
    )


def test_of_a_document_only_the_named_items_go_and_the_rest_stays_as_it_was() -> None:
    before = document("a@example.com", "jane@example.com", "b@example.com", suppressed=2)
    after = without_listed(before, lists("jane@example.com"), "2026-11-25T00:00:00.000Z")
    assert after == msgspec.structs.replace(
        document("a@example.com", "b@example.com", suppressed=3), stored_at="2026-11-25T00:00:00.000Z"
    )


def test_a_document_that_holds_nothing_named_is_the_very_same() -> None:
    before = document("a@example.com")
    assert without_listed(before, lists("jane@example.com"), "2026-11-25T00:00:00.000Z") is before
