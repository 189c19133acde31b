"""Which document may take the place of a stored one."""

import msgspec
import pytest

from novahunt_collector.replacing import plan_shows_less
from novahunt_contract.document import Document, Item
from novahunt_contract.outcomes import Reason


def document(total: int, *pages: int, truncated: Reason | None = None, search: str = "v1-a") -> Document:
    items = tuple(Item(email=f"p{number}@a.example", name=None, title=None, confidence=0, source=None)
                  for number in range(total))  # fmt: skip
    return Document(
        domain="a.example", items=items, total=total, stored_at="", collected_at="", job_id="",
        truncated=truncated, search_hash=search, pages=pages,
    )  # fmt: skip


STORED = document(230, 100, 100, 100)


@pytest.mark.parametrize("new", [document(0), document(10, 10), document(120, 100, 20)], ids=lambda new: str(new.total))
def test_a_plan_that_shows_less_takes_nothing_away(new: Document) -> None:
    assert plan_shows_less(msgspec.structs.replace(new, truncated=Reason.PLAN_LIMIT), STORED)


@pytest.mark.parametrize("truncated", [None, Reason.MAX_RESULTS, Reason.DOMAIN_BUDGET])
def test_a_shorter_document_that_no_plan_cut_off_is_news_or_what_is_wished(truncated: Reason | None) -> None:
    assert not plan_shows_less(document(10, 10, truncated=truncated), STORED)


def test_a_document_of_another_search_is_replaced() -> None:
    assert not plan_shows_less(document(10, 10, truncated=Reason.PLAN_LIMIT, search="v1-b"), STORED)


def test_the_same_plan_may_well_show_fewer() -> None:
    before = document(100, 100, truncated=Reason.PLAN_LIMIT)
    assert not plan_shows_less(document(99, 100, truncated=Reason.PLAN_LIMIT), before)


def test_what_a_suppression_list_kept_out_is_no_loss() -> None:
    new = msgspec.structs.replace(document(200, 100, 130, truncated=Reason.PLAN_LIMIT), suppressed=30)
    assert not plan_shows_less(new, STORED)


def test_a_document_that_does_not_tell_its_pages_counts_by_its_addresses() -> None:
    assert plan_shows_less(document(10, 10, truncated=Reason.PLAN_LIMIT), document(11))
    assert not plan_shows_less(document(11, 20, truncated=Reason.PLAN_LIMIT), document(11))
