"""A 429 that does not say whether it means pace or plan: whatever Hunter's account page answers, and what follows."""

from pathlib import Path

import pytest

from contract.collector.running import collect
from hunter_simulator import (
    DEFAULT_KEY,
    AnswerStatus,
    BrokenJson,
    CutBody,
    EmptyBody,
    Fault,
    HugeBody,
    Plan,
    Redirect,
    Reset,
    Simulator,
    WrongTypes,
)
from hunter_simulator.faults import Action
from hunter_simulator.settings import Settings
from novahunt_contract.outcomes import Reason

UNCLEAR = AnswerStatus(status=429)


@pytest.fixture(autouse=True)
def unclear(simulator: Simulator) -> None:
    """Let the first two searches be refused without saying why."""
    simulator.add_fault(Fault(action=UNCLEAR, endpoint="domain-search", times=2))


@pytest.mark.parametrize("names_credits", [True, False])
@pytest.mark.parametrize(
    ("credits_used", "reason"),
    [
        (0, Reason.COLLECTED),
        (46.5, Reason.COLLECTED),
        (49.9, Reason.QUOTA_EXHAUSTED),
        (50, Reason.QUOTA_EXHAUSTED),
        (50.5, Reason.QUOTA_EXHAUSTED),
    ],
)
async def test_credits_searches_and_fractions_of_them(
    *, simulator: Simulator, folder: Path, names_credits: bool, credits_used: float, reason: Reason
) -> None:
    simulator.set_settings(Settings(account_names_credits=names_credits))
    simulator.set_key(DEFAULT_KEY, Plan(credits=50, used_before=credits_used))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is reason
    # With a tenth of a credit left, pace is waited for first, and then Hunter says it itself. A used-up plan
    # is looked at once more, for the day on which it goes on.
    assert ended.receipt.requests == (3 if credits_used < 50 else 1)
    looks = (2 if credits_used < 50 else 1) + (1 if reason is Reason.QUOTA_EXHAUSTED else 0)
    assert simulator.report().paths["/v2/account"] == looks


SAYS_NOTHING: dict[str, Action] = {
    "unavailable": AnswerStatus(status=503),
    "a gateway's page": AnswerStatus(status=502, form="html"),
    "too fast": AnswerStatus(status=403),
    "unclear as well": AnswerStatus(status=429),
    "cut": CutBody(),
    "half JSON": BrokenJson(),
    "empty": EmptyBody(),
    "a list": WrongTypes(mistake="answer_is_list"),
    "data is null": WrongTypes(mistake="data_is_null"),
    "a proxy's page with 200": AnswerStatus(status=200, form="html"),
    "too large when unpacked": HugeBody(compressed=True),
    "reset": Reset(),
    "not known to a proxy": AnswerStatus(status=404, form="html"),
    "refused by a proxy": AnswerStatus(status=403, form="text"),
    "elsewhere": Redirect(),
}


@pytest.mark.parametrize("name", SAYS_NOTHING)
async def test_an_account_page_that_says_nothing_leaves_it_at_too_fast(
    simulator: Simulator, folder: Path, name: str
) -> None:
    simulator.add_fault(Fault(action=SAYS_NOTHING[name], endpoint="account", times=None))
    ended = await collect(simulator, folder, NOVAHUNT_MAX_FAILURES="1")
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.COLLECTED, 3)
    assert ended.receipt.credits == simulator.report().credits == 3
    assert simulator.report().paths["/v2/account"] == 2
    assert "/v2/redirected" not in simulator.report().paths


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (AnswerStatus(status=401), Reason.KEY_REFUSED),
        (AnswerStatus(status=429, error_id="restricted_account"), Reason.KEY_REFUSED),
        (AnswerStatus(status=402), Reason.QUOTA_EXHAUSTED),
    ],
)
async def test_an_account_page_that_says_more_of_the_key_ends_it(
    simulator: Simulator, folder: Path, action: AnswerStatus, reason: Reason
) -> None:
    simulator.add_fault(Fault(action=action, endpoint="account", times=None))
    ended = await collect(simulator, folder)
    assert (ended.receipt.reason, ended.receipt.requests) == (reason, 1)
