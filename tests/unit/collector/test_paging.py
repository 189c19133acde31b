"""Paging: what is asked for next, and when it ends; played against lists of every size and honesty."""

from hypothesis import given
from hypothesis import strategies as st

from novahunt_collector.paging import (
    MOST_REPEATED_PAGES,
    Ask,
    Finish,
    Limits,
    Progress,
    after_budget,
    after_page,
    after_plan_limit,
    next_step,
    percent,
)
from novahunt_contract.outcomes import Reason

LIMITS = Limits(page_size=100, max_results=5000, max_offset=10_000)


def answered(
    received: int, results: int | None, progress: Progress | None = None, limits: Limits = LIMITS, **more: object
) -> Progress:
    progress = progress or Progress()
    ask = next_step(progress, limits)
    assert isinstance(ask, Ask)
    approximate, new = bool(more.get("approximate")), int(str(more.get("new", received)))
    return after_page(progress, ask, received=received, results=results, approximate=approximate, new=new)


def test_the_first_page_is_asked_for_at_the_full_size() -> None:
    assert next_step(Progress(), LIMITS) == Ask(1, 0, 100)


def test_an_empty_page_ends_it() -> None:
    assert next_step(answered(0, 0), LIMITS) == Finish(None)


def test_a_short_page_with_everything_seen_ends_it() -> None:
    assert next_step(answered(50, 50), LIMITS) == Finish(None)


def test_a_short_page_with_more_to_come_does_not_end_it_and_the_offset_moves_by_the_number_asked() -> None:
    assert next_step(answered(50, 300), LIMITS) == Ask(2, 100, 100)


def test_a_full_page_is_followed_by_another_even_if_the_total_says_it_is_all() -> None:
    assert next_step(answered(100, 100), LIMITS) == Ask(2, 100, 100)


def test_the_total_alone_never_keeps_it_going() -> None:
    progress = answered(0, 900, answered(100, 900))
    assert next_step(progress, LIMITS) == Finish(None)


def test_the_last_page_under_the_cap_asks_only_for_what_is_allowed() -> None:
    limits = LIMITS._replace(max_results=130)
    assert next_step(answered(100, 900, limits=limits), limits) == Ask(2, 100, 30)


def test_the_cap_truncates_only_if_hunter_has_more() -> None:
    limits = LIMITS._replace(max_results=100)
    assert next_step(answered(100, 100, limits=limits), limits) == Finish(None)
    finish = next_step(answered(100, 101, limits=limits), limits)
    assert isinstance(finish, Finish)
    assert finish.truncated is Reason.MAX_RESULTS


def test_an_approximate_total_on_a_full_page_at_the_cap_means_more() -> None:
    limits = LIMITS._replace(max_results=100)
    for progress in (answered(100, 50, limits=limits, approximate=True), answered(100, None, limits=limits)):
        finish = next_step(progress, limits)
        assert isinstance(finish, Finish)
        assert finish.truncated is Reason.MAX_RESULTS


def test_a_plan_cap_asks_again_for_what_the_plan_shows() -> None:
    progress = after_plan_limit(Progress(), Ask(1, 0, 100), 10)
    assert progress is not None
    assert next_step(progress, LIMITS) == Ask(1, 0, 10)
    finish = next_step(answered(10, 150, progress), LIMITS)
    assert isinstance(finish, Finish)
    assert finish.truncated is Reason.PLAN_LIMIT


def test_a_plan_that_shows_nothing_more_ends_it_truncated() -> None:
    for progress, shown in ((Progress(), 0), (answered(100, 900), 100), (answered(100, 900), 40)):
        ask = next_step(progress, LIMITS)
        assert isinstance(ask, Ask)
        known = after_plan_limit(progress, ask, shown)
        assert known is not None
        finish = next_step(known, LIMITS)
        assert isinstance(finish, Finish)
        assert finish.truncated is Reason.PLAN_LIMIT


def test_a_plan_cap_that_is_just_all_there_is_does_not_truncate() -> None:
    known = after_plan_limit(answered(100, 100), Ask(2, 100, 100), 100)
    assert known is not None
    assert next_step(known, LIMITS) == Finish(None)


def test_a_plan_that_refuses_what_it_shows_makes_no_sense() -> None:
    assert after_plan_limit(Progress(), Ask(1, 0, 10), 10) is None


def test_beyond_the_offset_limit_nothing_is_asked_for() -> None:
    limits = Limits(page_size=100, max_results=5000, max_offset=150)
    second = answered(100, 900, answered(100, 900), limits)
    finish = next_step(second, limits)
    assert isinstance(finish, Finish)
    assert finish.truncated is Reason.PLAN_LIMIT
    assert "offset 150" in finish.message


def test_pages_that_repeat_themselves_are_not_paid_for_without_end() -> None:
    progress = answered(100, 900)
    for _ in range(MOST_REPEATED_PAGES):
        progress = answered(100, 900, progress, new=0)
    finish = next_step(progress, LIMITS)
    assert isinstance(finish, Finish)
    assert finish.truncated is Reason.PLAN_LIMIT
    one_new = answered(100, 900, answered(100, 900, new=0), new=1)
    assert one_new.repeated == 0


@given(
    size=st.integers(0, 700),
    page_size=st.integers(1, 100),
    max_results=st.integers(1, 900),
    max_offset=st.integers(0, 800),
    shown=st.none() | st.integers(0, 700),
    reported=st.sampled_from(["exact", "half", "nothing"]),
)
def test_any_list_is_read_to_its_end_or_its_cap_within_bounds(
    *, size: int, page_size: int, max_results: int, max_offset: int, shown: int | None, reported: str
) -> None:
    limits = Limits(page_size, max_results, max_offset)
    progress, seen, requests = Progress(), set[int](), 0
    results = {"exact": size, "half": size // 2, "nothing": None}[reported]
    while isinstance(step := next_step(progress, limits), Ask):
        requests += 1
        assert 1 <= step.limit <= page_size
        assert step.offset <= max_offset
        assert step.offset + step.limit <= max_results
        if shown is not None and step.offset + step.limit > shown:
            known = after_plan_limit(progress, step, shown)
            assert known is not None
            progress = known
            continue
        page = set(range(step.offset, min(step.offset + step.limit, size)))
        progress = after_page(
            progress,
            step,
            received=len(page),
            results=results,
            approximate=reported == "half",
            new=len(page - seen),
        )
        seen |= page
        assert 0 <= percent(progress, limits) <= 99
        assert requests <= max_results // page_size + 3
    caps = [size, max_results] + ([] if shown is None else [shown])
    last_offset = (max_offset // page_size + 1) * page_size
    assert len(seen) == min(*caps, last_offset)
    if len(seen) == size and reported == "exact" and not (shown == 0 and size == 0):
        assert step.truncated is None
    if len(seen) < size:
        assert step.truncated is not None


def test_a_budget_that_refuses_a_page_is_asked_for_what_it_has_left_and_then_the_domain_is_truncated() -> None:
    refused = after_budget(answered(100, 500), 4)
    assert next_step(refused, LIMITS) == Ask(2, 100, 40)
    # What is left after it is not known any more: the answer may have cost less.
    partly = answered(40, 500, refused)
    assert next_step(partly, LIMITS) == Ask(3, 140, 100)
    finish = next_step(after_budget(partly, 0), LIMITS)
    assert isinstance(finish, Finish)
    assert finish.truncated is Reason.DOMAIN_BUDGET


def test_a_budget_that_is_spent_with_the_last_address_truncates_nothing() -> None:
    assert next_step(after_budget(answered(100, 100), 0), LIMITS) == Finish(None)
