"""A client that retries and pages as Hunter's rules ask for collects the truth, and pays for it once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hunter_simulator import (
    AnswerStatus,
    BrokenJson,
    Config,
    CutBody,
    Domain,
    Fault,
    Listing,
    Plan,
    Reset,
    Settings,
    WrongTypes,
    price,
    truth,
)
from hunter_simulator.faults import Action
from unit.hunter_simulator.asking import Asking

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(AnswerStatus, status=st.sampled_from([403, 429, 500, 503]), charged=st.booleans()),
    st.builds(CutBody, kept=st.floats(0, 0.99), chunked=st.booleans()),
    st.builds(Reset, charged=st.booleans()),
    st.builds(BrokenJson),
    st.builds(WrongTypes, mistake=st.sampled_from(["data_is_list", "answer_is_list"])),
)
FAULTS = st.lists(
    st.builds(
        Fault,
        action=ACTIONS,
        endpoint=st.just("domain-search"),
        offset=st.sampled_from([None, 0, 40]),
        times=st.integers(1, 4),
        after=st.integers(0, 3),
        count_per=st.sampled_from(["fault", "domain", "page"]),
        probability=st.floats(0.1, 1),
        seed=st.integers(0, 9),
    ),
    max_size=4,
)


def _collect(hunter: Asking, domain: str, limit: int) -> list[str]:
    found = list[str]()
    offset = 0
    while True:
        answer = hunter.search(domain, limit=limit, offset=offset)
        hunter.clock.seconds += 1 / 8
        if answer.status != 200 or answer.entry.fault is not None:
            continue
        found += answer.emails
        offset += limit
        if len(answer.emails) < limit:
            return found


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 260), limit=st.sampled_from([10, 20, 37, 100]), faults=FAULTS)
def test_whatever_strikes_the_truth_is_collected_and_paid_once(size: int, limit: int, faults: list[Fault]) -> None:
    domains = {"acme.example": Domain(size=size, listing=Listing(order="within_page"))}
    hunter = Asking(Config(domains=domains, faults=tuple(faults)))
    assert sorted(_collect(hunter, "acme.example", limit)) == sorted(p.value for p in truth("acme.example", size))
    report = hunter.simulator.report()
    assert report.credits == sum(price(min(limit, size - offset)) for offset in range(0, size, limit))
    assert report.throttled == 0
    assert report.of_key("demo-key").most_in_a_second <= 8
    used = hunter.get("account").body["data"]["requests"]["searches"]["used"]
    assert used == report.credits


def test_with_repeats_charged_the_account_still_equals_the_report() -> None:
    lost = Fault(action=CutBody(), times=3, count_per="page")
    hunter = Asking(Config(settings=Settings(repeats_cost=True), faults=(lost,)))
    hunter.simulator.set_key("demo-key", Plan(credits=200))
    _collect(hunter, "n230.example", 100)
    report = hunter.simulator.report()
    assert (report.credits, report.repeats_charged) == (4 * 23, 3 * 3)
    assert hunter.get("account").body["data"]["requests"]["searches"]["used"] == 4 * 23
