"""One test for each row of what Hunter answers and what the collector makes of it, by the row's name."""

from pathlib import Path
from typing import Literal

import pytest

from contract.collector.running import DOMAIN, collect
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Fault, Key, Plan, Redirect, Simulator
from hunter_simulator.problems import ErrorForm
from hunter_simulator.settings import Settings
from novahunt_contract.outcomes import ENDINGS, Outcome, Reason

ALWAYS = None


def answer(simulator: Simulator, action: AnswerStatus | Redirect, times: int | None = 1) -> None:
    simulator.add_fault(Fault(action=action, endpoint="domain-search", times=times))


FOR_THE_RESET_DATE = 1
"""Looks at the account page, when the plan is used up: the receipt says when it goes on."""


async def assert_ends(simulator: Simulator, folder: Path, reason: Reason, *, requests: int = 1) -> None:
    """Run it: it ends so, after so many requests, with nothing stored and nothing paid."""
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is reason
    assert ended.receipt.outcome is ENDINGS[reason].outcome
    assert ended.document is None
    assert (ended.receipt.requests, ended.receipt.credits) == (requests, 0)
    assert simulator.report().paths["/v2/domain-search"] == requests


async def assert_waits_and_goes_on(simulator: Simulator, folder: Path, *, refused: int) -> None:
    """Run it: after so many refusals everything is stored."""
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.document is not None
    assert {item.email for item in ended.document.items} == {person.value.lower() for person in simulator.truth(DOMAIN)}
    assert ended.receipt.requests == refused + 1
    assert ended.receipt.credits == simulator.report().credits == 3


async def test_402_the_plan_is_used_up_stop(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=402), ALWAYS)
    await assert_ends(simulator, folder, Reason.QUOTA_EXHAUSTED)


async def test_402_of_a_plan_that_is_really_used_up(simulator: Simulator, folder: Path) -> None:
    simulator.set_settings(Settings(used_up_status=402))
    simulator.set_key(DEFAULT_KEY, Plan(credits=2))
    await assert_ends(simulator, folder, Reason.QUOTA_EXHAUSTED)


async def test_403_with_hunters_json_is_too_fast_back_off_and_retry(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=403), times=6)
    await assert_waits_and_goes_on(simulator, folder, refused=6)


async def test_403_in_the_old_form_is_too_fast_as_well(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=403, form="error"), times=2)
    await assert_waits_and_goes_on(simulator, folder, refused=2)


@pytest.mark.parametrize("form", ["text", "html", "empty"])
async def test_403_without_hunters_json_is_a_refused_client_stop(simulator: Simulator, folder: Path, form: str) -> None:
    action = {
        "text": AnswerStatus(status=403, form="text"),
        "html": AnswerStatus(status=403, form="html"),
        "empty": AnswerStatus(status=403, form="empty"),
    }[form]
    answer(simulator, action, ALWAYS)
    await assert_ends(simulator, folder, Reason.BAD_REQUEST)


async def test_429_restricted_account_is_a_refused_key_stop(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(restricted=True))
    await assert_ends(simulator, folder, Reason.KEY_REFUSED)


@pytest.mark.parametrize(
    "details",
    [
        "You have used all searches of this billing period.",
        "You have reached the usage limit.",
        "Nothing is left on your plan.",
        "Your quota is used up.",
        "Please upgrade.",
    ],
)
async def test_429_that_speaks_of_the_plan_is_used_up_stop(simulator: Simulator, folder: Path, details: str) -> None:
    answer(simulator, AnswerStatus(status=429, details=details), ALWAYS)
    await assert_ends(simulator, folder, Reason.QUOTA_EXHAUSTED)
    assert simulator.report().paths["/v2/account"] == FOR_THE_RESET_DATE


async def test_429_of_a_plan_that_is_really_used_up(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(credits=2))
    await assert_ends(simulator, folder, Reason.QUOTA_EXHAUSTED)


async def test_429_with_retry_after_is_too_fast_back_off_and_retry(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=429, retry_after=0), times=2)
    await assert_waits_and_goes_on(simulator, folder, refused=2)
    assert "/v2/account" not in simulator.report().paths


@pytest.mark.parametrize("details", ["15 requests per second.", "500 requests per minute.", "The rate limit is hit."])
async def test_429_that_speaks_of_pace_is_too_fast_back_off_and_retry(
    simulator: Simulator, folder: Path, details: str
) -> None:
    answer(simulator, AnswerStatus(status=429, details=details), times=2)
    await assert_waits_and_goes_on(simulator, folder, refused=2)
    assert "/v2/account" not in simulator.report().paths


async def test_any_other_429_asks_the_account_and_goes_on_if_something_is_left(
    simulator: Simulator, folder: Path
) -> None:
    answer(simulator, AnswerStatus(status=429), times=2)
    await assert_waits_and_goes_on(simulator, folder, refused=2)
    assert simulator.report().paths["/v2/account"] == 2


@pytest.mark.parametrize("names_credits", [True, False])
async def test_any_other_429_asks_the_account_and_stops_if_nothing_is_left(
    simulator: Simulator,
    folder: Path,
    names_credits: bool,  # noqa: FBT001 - a table
) -> None:
    simulator.set_settings(Settings(account_names_credits=names_credits))
    simulator.set_key(DEFAULT_KEY, Plan(credits=50, used_before=50))
    answer(simulator, AnswerStatus(status=429), ALWAYS)
    await assert_ends(simulator, folder, Reason.QUOTA_EXHAUSTED)
    assert simulator.report().paths["/v2/account"] == 1 + FOR_THE_RESET_DATE


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_5xx_is_passing_back_off_and_retry(simulator: Simulator, folder: Path, status: int) -> None:
    answer(simulator, AnswerStatus(status=status), times=3)
    await assert_waits_and_goes_on(simulator, folder, refused=3)


async def test_5xx_that_stays_gives_up_after_the_bounded_tries(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=503, form="html"), ALWAYS)
    await assert_ends(simulator, folder, Reason.HUNTER_UNAVAILABLE, requests=4)


async def test_400_limited_to_n_on_the_plan_asks_again_and_is_truncated(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(DEFAULT_KEY, Plan(result_cap=10))
    ended = await collect(simulator, folder)
    assert (ended.receipt.outcome, ended.receipt.reason) == (Outcome.TRUNCATED, Reason.PLAN_LIMIT)
    assert (ended.receipt.items, ended.receipt.reported, ended.receipt.credits) == (10, 25, 1)
    assert simulator.report().of_domain(DOMAIN).pages == ((0, 10),)


async def test_400_pagination_error_on_the_limit_is_our_mistake_stop(simulator: Simulator, folder: Path) -> None:
    details = "The limit should be a number between 1 and 100."
    answer(simulator, AnswerStatus(status=400, error_id="pagination_error", details=details), ALWAYS)
    await assert_ends(simulator, folder, Reason.BAD_REQUEST)


async def test_400_invalid_domain_stops(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=400, error_id="invalid_domain"), ALWAYS)
    await assert_ends(simulator, folder, Reason.DOMAIN_REFUSED)


async def test_401_is_a_refused_key_stop(simulator: Simulator, folder: Path) -> None:
    simulator.remove_key(DEFAULT_KEY)
    await assert_ends(simulator, folder, Reason.KEY_REFUSED)


async def test_451_claimed_email_stops(simulator: Simulator, folder: Path) -> None:
    answer(simulator, AnswerStatus(status=451), ALWAYS)
    await assert_ends(simulator, folder, Reason.CLAIMED)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_any_other_4xx_stops(simulator: Simulator, folder: Path, status: int) -> None:
    answer(simulator, AnswerStatus(status=status), ALWAYS)
    await assert_ends(simulator, folder, Reason.BAD_REQUEST)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_never_followed(
    simulator: Simulator,
    folder: Path,
    status: Literal[301, 302, 303, 307, 308],
) -> None:
    answer(simulator, Redirect(status=status), ALWAYS)
    await assert_ends(simulator, folder, Reason.BAD_REQUEST)
    assert "/v2/redirected" not in simulator.report().paths


@pytest.mark.parametrize("form", ["errors", "error"])
@pytest.mark.parametrize("world", [(403, 429), (429, 402)], ids=["as documented", "as in the newer client"])
class TestBothWorldsInBothForms:
    """Too fast and used up, each as Hunter's documentation and as its newer client have it, in either JSON form."""

    async def test_too_fast_is_waited_for(
        self, simulator: Simulator, folder: Path, world: tuple[Literal[403, 429], Literal[429, 402]], form: ErrorForm
    ) -> None:
        simulator.set_settings(
            Settings(per_second=4, throttled_status=world[0], used_up_status=world[1], error_form=form)
        )
        simulator.set_domain(DOMAIN, 60)
        ended = await collect(simulator, folder, HUNTER_PAGE_SIZE="10", NOVAHUNT_BACKOFF_CAP_SECONDS="0.5")
        assert (ended.receipt.reason, ended.receipt.items) == (Reason.COLLECTED, 60)
        report = simulator.report()
        assert report.throttled > 0
        assert "/v2/account" not in report.paths

    async def test_used_up_stops(
        self, simulator: Simulator, folder: Path, world: tuple[Literal[403, 429], Literal[429, 402]], form: ErrorForm
    ) -> None:
        simulator.set_settings(
            Settings(throttled_status=world[0], used_up_status=world[1], error_form=form, per_second=1000)
        )
        simulator.set_domain(DOMAIN, 60)
        simulator.set_key(DEFAULT_KEY, Plan(credits=3))
        ended = await collect(simulator, folder, HUNTER_PAGE_SIZE="10")
        assert (ended.receipt.reason, ended.receipt.credits) == (Reason.QUOTA_EXHAUSTED, 3)
        assert ended.receipt.requests == 4
        assert simulator.report().paths["/v2/account"] == FOR_THE_RESET_DATE


async def test_used_up_on_a_proxys_page_is_found_out_at_the_account(simulator: Simulator, folder: Path) -> None:
    simulator.set_settings(Settings(error_form="html"))
    simulator.set_key(DEFAULT_KEY, Plan(credits=2))
    simulator.set_domain(DOMAIN, 20)
    ended = await collect(simulator, folder, HUNTER_PAGE_SIZE="10")
    # The page's own words speak of the plan, but nobody knows who wrote them.
    assert ended.receipt.reason is Reason.QUOTA_EXHAUSTED
    assert simulator.report().paths["/v2/account"] == 1 + FOR_THE_RESET_DATE


async def test_another_key_than_ours_is_never_tried(simulator: Simulator, folder: Path) -> None:
    simulator.set_key(Key("other").key)
    simulator.remove_key(DEFAULT_KEY)
    await collect(simulator, folder)
    assert len(simulator.report().keys) == 1
