"""What Hunter charges for answers of each size."""

import pytest

from novahunt_contract import credits as prices


@pytest.mark.parametrize(("addresses", "cost"), [(0, 0), (1, 1), (10, 1), (11, 2), (99, 10), (100, 10)])
def test_an_answer_costs_one_credit_per_started_ten_addresses(addresses: int, cost: int) -> None:
    assert prices.of_answer(addresses) == cost


@pytest.mark.parametrize(
    ("addresses", "page_size", "cost"),
    [(0, 100, 0), (5000, 100, 500), (101, 100, 11), (30, 15, 4), (30, 10, 3), (7, 100, 1), (10, 3, 4)],
)
def test_a_domain_costs_what_its_pages_cost_each_rounded_up(addresses: int, page_size: int, cost: int) -> None:
    assert prices.of_domain(addresses, page_size) == cost
