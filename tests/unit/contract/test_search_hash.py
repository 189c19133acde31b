"""The search hash: literal values that never change, and that only what is searched for decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_contract.searchhash import Search, search_hash

# A changed value here makes every stored document out of date: Hunter would be asked, and paid, again.
GOLDEN = [
    (Search(), "v1-44136fa355b3678a"),
    (Search(type="personal"), "v1-53ee5cb31146e206"),
    (Search(seniority=("senior",)), "v1-abdf2948b6c75409"),
    (Search(department=("it", "sales")), "v1-101c02a0de38b26b"),
    (Search(required_fields=("full_name",)), "v1-d240e57f7afd1185"),
    (Search(verification_status=("valid",)), "v1-6c818e1d6447ffbc"),
    (
        Search(
            type="personal",
            seniority=("senior", "executive"),
            department=("it",),
            required_fields=("full_name", "phone_number"),
            verification_status=("valid", "accept_all"),
        ),
        "v1-855e3e831c11a148",
    ),
]


@pytest.mark.parametrize(("search", "expected"), GOLDEN)
def test_the_hash_is_what_it_has_always_been(search: Search, expected: str) -> None:
    assert search_hash(search) == expected


def test_no_two_of_them_are_alike() -> None:
    assert len({expected for _, expected in GOLDEN}) == len(GOLDEN)


def test_a_value_counts_under_its_own_field_only() -> None:
    assert search_hash(Search(seniority=("it",))) != search_hash(Search(department=("it",)))


_values = st.lists(st.sampled_from(["senior", "junior", "executive", "it"]), max_size=6)


@given(_values, st.randoms(use_true_random=False))
def test_order_case_spaces_and_repeats_do_not_matter(values: list[str], random: object) -> None:
    shuffled = [*values, *values[:1]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    written = [f" {value.upper()} " if index % 2 else value for index, value in enumerate(shuffled)]
    assert search_hash(Search(seniority=tuple(written))) == search_hash(Search(seniority=tuple(values)))


@given(_values, _values)
def test_other_values_give_another_hash(one: list[str], other: list[str]) -> None:
    alike = set(one) == set(other)
    assert (search_hash(Search(department=tuple(one))) == search_hash(Search(department=tuple(other)))) is alike
