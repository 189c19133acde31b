"""Answers that break off, are too large, or are of the wrong shape: retried, and never half believed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.collector.running import DOMAIN, collect
from hunter_simulator import (
    AnswerStatus,
    BrokenJson,
    CutBody,
    Domain,
    EmptyBody,
    Fault,
    HugeBody,
    Listing,
    Proceed,
    Reset,
    Simulator,
    WrongTypes,
)
from hunter_simulator.faults import Action, TypeMistake
from novahunt_contract.outcomes import Reason

BROKEN: dict[str, Action] = {
    "cut": CutBody(),
    "cut early": CutBody(kept=0),
    "cut in chunks": CutBody(chunked=True),
    "empty": EmptyBody(),
    "half JSON": BrokenJson(),
    "a proxy's page with 200": AnswerStatus(status=200, form="html"),
    "too large": HugeBody(),
    "too large, in chunks": HugeBody(announced=False),
    "too large when unpacked": HugeBody(compressed=True),
    "reset": Reset(),
    "reset after it was charged": Reset(charged=True),
    "time-out of a gateway after it was charged": AnswerStatus(status=504, charged=True),
    "a list": WrongTypes(mistake="answer_is_list"),
    "data is a list": WrongTypes(mistake="data_is_list"),
    "data is null": WrongTypes(mistake="data_is_null"),
    "emails is an object": WrongTypes(mistake="emails_is_object"),
    "nothing found with the status of no content": AnswerStatus(status=204, form="empty"),
}


def emails(simulator: Simulator) -> set[str]:
    return {person.value.lower() for person in simulator.truth(DOMAIN)}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_asked_for_again(simulator: Simulator, folder: Path, name: str) -> None:
    simulator.set_domain(DOMAIN, 150)
    simulator.add_fault(Fault(action=BROKEN[name], offset=100, times=2))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.document is not None
    assert {item.email for item in ended.document.items} == emails(simulator)
    assert ended.receipt.requests == 4
    # The same page again is free in the same period, so what is counted is what was charged.
    assert ended.receipt.credits == simulator.report().credits == 15


@pytest.mark.parametrize("name", BROKEN)
async def test_answers_that_stay_broken_end_as_unavailable_with_nothing_stored(
    simulator: Simulator, folder: Path, name: str
) -> None:
    simulator.add_fault(Fault(action=BROKEN[name], times=None))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.HUNTER_UNAVAILABLE
    assert ended.document is None
    assert ended.receipt.requests == 4


CHARGED: dict[str, Action] = {
    "cut": CutBody(),
    "half JSON": BrokenJson(),
    "reset after it was charged": Reset(charged=True),
    **{f"{status} after it was charged": AnswerStatus(status=status, charged=True) for status in (204, 502, 504, 524)},
}


@pytest.mark.parametrize("name", CHARGED)
@pytest.mark.parametrize("repeats_charged", [False, True])
async def test_what_lost_answers_may_have_cost_is_counted_when_the_run_gives_up(
    simulator: Simulator,
    folder: Path,
    name: str,
    repeats_charged: bool,  # noqa: FBT001 - a table
) -> None:
    simulator.set_settings(replace(simulator.settings, repeats_cost=repeats_charged))
    simulator.add_fault(Fault(action=CHARGED[name], times=None))
    ended = await collect(simulator, folder, HUNTER_REPEATS_CHARGED=str(repeats_charged).lower())
    assert ended.receipt.reason is Reason.HUNTER_UNAVAILABLE
    assert simulator.report().credits == (12 if repeats_charged else 3)
    assert ended.receipt.credits == (40 if repeats_charged else 10)


@pytest.mark.parametrize("status", [500, 503])
async def test_what_hunter_itself_says_it_could_not_do_is_not_counted(
    simulator: Simulator, folder: Path, status: int
) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=status), times=None))
    ended = await collect(simulator, folder)
    assert ended.receipt.credits == simulator.report().credits == 0


async def test_an_answer_that_does_not_come_is_a_time_out(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=Proceed(), delay=30, times=1))
    ended = await collect(simulator, folder, NOVAHUNT_REQUEST_TIMEOUT_SECONDS="0.5")
    assert ended.receipt.reason is Reason.COLLECTED
    assert ended.receipt.requests == 2


async def test_a_refusal_that_breaks_off_still_counts_by_its_status(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=402, form="empty"), times=None))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.QUOTA_EXHAUSTED


@pytest.mark.parametrize("mistake", ["confidence_is_text", "sources_is_text", "meta_is_missing", "results_is_text"])
async def test_wrong_types_in_what_is_optional_lose_no_address(
    simulator: Simulator, folder: Path, mistake: TypeMistake
) -> None:
    simulator.add_fault(Fault(action=WrongTypes(mistake=mistake), times=None))
    ended = await collect(simulator, folder)
    assert ended.document is not None
    assert {item.email for item in ended.document.items} == emails(simulator)
    assert ended.receipt.requests == 1


async def test_addresses_of_the_wrong_type_are_skipped(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=WrongTypes(mistake="value_is_number"), times=None))
    ended = await collect(simulator, folder)
    assert ended.document is not None
    assert ended.document.total == 0
    # They were returned, so they are paid for.
    assert ended.receipt.credits == simulator.report().credits == 3


PASSING = st.sampled_from([BROKEN["cut"], BROKEN["half JSON"], BROKEN["reset after it was charged"]]) | st.sampled_from(
    [AnswerStatus(status=503), AnswerStatus(status=403), AnswerStatus(status=429)]
)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    size=st.integers(0, 400),
    page_size=st.integers(3, 10).map(lambda tens: tens * 10),
    faults=st.lists(st.tuples(PASSING, st.floats(0.1, 0.5), st.integers(0, 10**6)), max_size=2),
    within_page=st.booleans(),
    most=st.integers(1, 50).map(lambda tens: tens * 10),
)
async def test_whatever_goes_wrong_the_document_equals_the_truth_and_the_cost_what_was_charged(
    *,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    page_size: int,
    faults: list[tuple[Action, float, int]],
    within_page: bool,
    most: int,
) -> None:
    simulator.reset()
    simulator.set_domain(DOMAIN, Domain(size=size, listing=Listing(order="within_page" if within_page else "stable")))
    for action, probability, seed in faults:
        simulator.add_fault(Fault(action=action, probability=probability, seed=seed, times=5, endpoint="domain-search"))
    ended = await collect(
        simulator,
        tmp_path_factory.mktemp("random"),
        HUNTER_PAGE_SIZE=str(page_size),
        HUNTER_MAX_COLLECT=str(most),
        NOVAHUNT_MAX_FAILURES="100",
    )
    truth = [person.value.lower() for person in simulator.truth(DOMAIN)]
    assert ended.document is not None
    assert {item.email for item in ended.document.items} == set(truth[:most])
    assert ended.receipt.reason is (
        Reason.NOTHING_FOUND if not size else Reason.MAX_RESULTS if size > most else Reason.COLLECTED
    )
    report = simulator.report()
    assert ended.receipt.credits == report.credits
    assert ended.receipt.requests == report.paths["/v2/domain-search"]
