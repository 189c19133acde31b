"""Names that are made for collections: readable, and valid whatever they are made from."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_api import names
from novahunt_cli.manifests import readable_name
from novahunt_contract import domains

STAMP = "1123-093000"
VALID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
"""A label as RFC 1123 says; a DomainCollection's name may have dots as well, and these have none."""


def is_domain(text: str) -> bool:
    try:
        return domains.normalise(text) == text
    except domains.NotADomainError:
        return False


LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=2, max_size=5).map(".".join).filter(is_domain)


def test_a_name_tells_the_first_domain_how_many_more_there_are_and_when() -> None:
    assert readable_name(["example.com"], STAMP) == "example-com-1123-093000"
    assert readable_name(["example.com"] * 12, STAMP) == "example-com-and-11-1123-093000"
    assert readable_name(["example.com"] * 12, STAMP, "estimate-") == "estimate-example-com-and-11-1123-093000"


@pytest.mark.parametrize("number", [1, 12, 10_000])
def test_a_long_first_domain_is_cut_and_not_what_stands_around_it(number: int) -> None:
    name = readable_name(["international-business-consulting.com"] * number, STAMP, "estimate-")
    assert len(name) <= names.MAX_LABEL
    assert name.startswith("estimate-international-business")
    assert name.endswith(f"-and-{number - 1}-{STAMP}" if number > 1 else STAMP)


@given(DOMAINS, st.sampled_from([1, 2, 11, 101, 1001, 10_001, 100_001]), st.sampled_from(["", "estimate-"]))
def test_every_name_is_valid(first: str, number: int, prefix: str) -> None:
    name = readable_name([first] * number, STAMP, prefix)
    assert VALID.fullmatch(name)
    assert len(name) <= names.MAX_LABEL
