"""Domain names: whatever people paste becomes one form, or a reason that never repeats what they pasted."""

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novahunt_contract.domains import MAX_ENTRY_LENGTH, NotADomainError, host_name, normalise, read_list


@pytest.mark.parametrize(
    ("entry", "domain"),
    [
        ("example.com", "example.com"),
        ("  Example.COM \n", "example.com"),
        ("example.com.", "example.com"),
        ("www.example.com", "example.com"),
        ("WWW.Example.com.", "example.com"),
        ("https://www.example.org/contact", "example.org"),
        ("http://example.org:8080/a?b=c#d", "example.org"),
        ("example.org:443", "example.org"),
        ("example.org/team", "example.org"),
        ("example.org/go?to=https://other.example", "example.org"),
        ("//example.org/team", "example.org"),
        ("mail.example.org", "mail.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("www。example。com", "example.com"),
        ("example.com.\ufeff", "example.com"),
        ("exa\u200bmple.com.\u00ad", "example.com"),
        ("example.com。", "example.com"),
        ("\ufeffexample.com", "example.com"),
        ("www.com", "www.com"),
        ("www.www.example.com", "example.com"),
        ("wwww.example.com", "wwww.example.com"),
        ("example.co.uk", "example.co.uk"),
    ],
)
def test_every_way_to_write_a_domain_leads_to_one_form(entry: str, domain: str) -> None:
    assert normalise(entry) == domain


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("john.secretname@example.com", "@"),
        ("https://secretname:pw@example.com/", "@"),
        ("mailto:secretname@example.com", "@"),
        ("192.0.2.1", "IP number"),
        ("http://192.0.2.1:80/", "IP number"),
        ("[2001:db8::1]", "IP number"),
        ("https://[2001:db8::1]/x", "IP number"),
        ("１９２.0.2.1", "number"),
        ("secretname", "single label"),
        ("secretname.123", "number"),
        ("secret_name.com", "valid domain"),
        ("secret name.com", "valid domain"),
        ("-secretname.com", "valid domain"),
        ("secretname..com", "valid domain"),
        (".secretname.com", "valid domain"),
        ("secretname!.com", "valid domain"),
        ("x" * 64 + ".com", "valid domain"),
        (".".join(["abcdefgh"] * 30) + ".com", "valid domain"),
        # A number that no machine can hold, found by fuzzing.
        ("xn---n---bhhhhhhhhhh22222222222222222222222hhlxlbhhhhhhhhhhhhlxlle.com", "valid domain"),
        ("secretname.\ufeff", "single label"),
        ("https://", "no host"),
        ("https:///secretname", "no host"),
        ("http://[secretname", "can't be read"),
        ("secret\u2100name.com", "can't be read"),
        ("a" * (MAX_ENTRY_LENGTH + 1), "longer than 2048"),
    ],
)
def test_what_is_no_domain_is_refused_with_its_reason_and_not_repeated(entry: str, reason: str) -> None:
    with pytest.raises(NotADomainError) as refusal:
        normalise(entry)
    assert reason in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_the_longest_name_is_taken() -> None:
    name = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 57, "com"])
    assert len(name) == 253
    assert normalise(name) == name


_letters = st.text(st.sampled_from("abcxyzÄßüœéλж日本0189-"), min_size=1, max_size=12)
_hosts = st.lists(st.sampled_from(["www", "WWW", "mail"]) | _letters, min_size=1, max_size=5).map(".".join)
_entries = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "http://", "HTTPS://", "//", " "]),
    _hosts,
    st.sampled_from(["", ".", "。", ":8080"]),
    st.sampled_from(["", "/", "/a/b?c=https://d.example", "#top", " "]),
)


@given(_entries | st.text(max_size=60))
@example("www.www.example.com")
@example("www.www.com")
@example("example.com。")
def test_normalising_twice_is_normalising_once(entry: str) -> None:
    try:
        once = normalise(entry)
    except NotADomainError:
        return
    assert normalise(once) == once
    assert 3 <= len(once) <= 253
    assert once == once.lower()
    assert once.isascii()
    assert all(1 <= len(label) <= 63 for label in once.split("."))
    assert normalise(f"https://{once}:443/x") == once


_plain_labels = st.text(st.sampled_from("abcxn019-"), min_size=1, max_size=8) | st.just("a" * 63) | st.just("a" * 64)


@given(st.lists(_plain_labels, min_size=2, max_size=6).map(".".join).filter(lambda name: not name[-1].isdigit()))
@example("xn--bcher-kva.example")
@example("xn--a.example")
@example("ab--cd.example")
@example(".".join(["a" * 63] * 4))
def test_a_name_that_skips_idna_is_one_that_idna_would_have_left_as_it_is(name: str) -> None:
    try:
        expected = idna.encode(name, uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        with pytest.raises(NotADomainError):
            host_name(name)
    else:
        assert host_name(name) == expected


def test_a_host_alone_keeps_its_www() -> None:
    assert host_name("WWW.Example.com.") == "www.example.com"


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()), st.text(max_size=40))
def test_nothing_with_an_at_sign_is_ever_taken(before: str, after: str) -> None:
    with pytest.raises(NotADomainError):
        normalise(f"{before}@{after}")


def test_a_list_has_comments_blank_lines_and_line_numbers_as_an_editor_shows_them() -> None:
    text = "# leads\nexample.com  # main\r\n\n  example.org\n#x\nhttps://example.net/#contact\n"
    assert list(read_list(text)) == [(2, "example.com"), (4, "example.org"), (6, "https://example.net/")]
    assert list(read_list("")) == []


def test_a_list_without_a_last_newline_is_read_whole() -> None:
    assert list(read_list("example.com\nexample.org")) == [(1, "example.com"), (2, "example.org")]


def test_characters_that_no_editor_takes_for_a_line_end_do_not_shift_the_numbers() -> None:
    assert [number for number, _ in read_list("a.example\u2028b\x0c\nc.example")][-1] == 2
