"""Names of Jobs, results and documents: valid for any collection, the same for the same run, different for others."""

import re

from hypothesis import given
from hypothesis import strategies as st

from novahunt_api.names import MAX_LABEL, document_name, domain_hash, job_name, result_name

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_inner = st.text("abc019-", max_size=30)
_parts = st.builds("{}{}{}".format, st.sampled_from("abz09"), _inner, st.sampled_from("abz09"))
_collections = st.lists(_parts, min_size=1, max_size=4).map(".".join).map(lambda name: name[:63].rstrip("-."))
_domains = st.sampled_from(["example.com", "example.org", "a" * 63 + "." + "b" * 63 + ".example"])
_runs = st.integers(1, 10**9)


@given(_collections, st.uuids().map(str), _domains, _runs)
def test_every_name_is_a_dns_label(collection: str, uid: str, domain: str, run: int) -> None:
    for name in (job_name(collection, uid, domain, run), result_name(collection, domain), domain_hash(domain)):
        assert len(name) <= MAX_LABEL
        assert _LABEL.fullmatch(name)
    document = document_name(result_name(collection, domain), "0f" * 32, 71)
    assert len(document) <= 253
    assert _LABEL.fullmatch(document)


@given(_collections, st.uuids().map(str), _domains, _runs)
def test_a_run_has_one_name_whoever_asks_and_its_neighbours_have_others(
    collection: str, uid: str, domain: str, run: int
) -> None:
    names = {
        job_name(collection, uid, domain, run),
        job_name(collection, uid, domain, run + 1),
        job_name(collection, uid + "x", domain, run),
        job_name(collection, uid, "other.example", run),
        result_name(collection, domain),
        result_name(collection, "other.example"),
    }
    assert len(names) == 6
    assert job_name(collection, uid, domain, run) in names


def test_collections_that_look_alike_when_shortened_do_not_share_results() -> None:
    assert result_name("a.b", "example.com") != result_name("a-b", "example.com")
    assert result_name("x" * 62 + "1", "example.com") != result_name("x" * 62 + "2", "example.com")


def test_names_are_what_they_have_always_been() -> None:
    # Other names would run every domain again, and leave results behind that nobody finds.
    assert job_name("q4", "0b6b8a2e-1f55-4d0e-9c5e-2f2f6b1f7a11", "example.com", 3) == "q4-a8d81e7f164b"
    assert result_name("q4", "example.com") == "q4-6e1653cb3095"
    assert domain_hash("example.com") == "a379a6f6eeaf"
