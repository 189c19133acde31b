"""Which requests a fault happens to, and how often."""

import msgspec
import pytest

from hunter_simulator import AnswerStatus, Config, CutBody, Fault, Reset, Settings, WrongTypes
from hunter_simulator.faults import Asked, FaultBoard
from unit.hunter_simulator.asking import Asking

UNAVAILABLE = AnswerStatus(status=503)


def _statuses(hunter: Asking, *domains: str) -> list[int]:
    return [hunter.search(domain).status for domain in domains]


def test_a_fault_happens_once_and_is_gone(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE))
    assert _statuses(hunter, *["n5.example"] * 3) == [503, 200, 200]


def test_a_fault_happens_so_many_times(hunter: Asking) -> None:
    number = hunter.simulator.add_fault(Fault(action=UNAVAILABLE, times=2))
    assert _statuses(hunter, *["n5.example"] * 3) == [503, 503, 200]
    assert hunter.simulator.report().faults == {number: 2}


def test_a_fault_may_last_until_it_is_taken_back(hunter: Asking) -> None:
    number = hunter.simulator.add_fault(Fault(action=UNAVAILABLE, times=None))
    assert _statuses(hunter, *["n5.example"] * 12) == [503] * 12
    assert hunter.simulator.remove_fault(number)
    assert not hunter.simulator.remove_fault(number)
    assert _statuses(hunter, "n5.example") == [200]


def test_a_fault_may_begin_after_some_requests(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, after=2, times=1))
    assert _statuses(hunter, *["n5.example"] * 4) == [200, 200, 503, 200]


def test_a_fault_may_belong_to_a_domain_in_any_spelling(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, domain="Bücher.example"))
    assert _statuses(hunter, "n5.example", "xn--bcher-kva.example") == [200, 503]


def test_a_fault_of_no_domain_is_refused(hunter: Asking) -> None:
    with pytest.raises(ValueError, match="not a domain name"):
        hunter.simulator.add_fault(Fault(action=UNAVAILABLE, domain="no domain"))


def test_a_fault_may_belong_to_a_page(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, offset=100, times=None))
    assert [hunter.search("n250.example", limit=100, offset=offset).status for offset in (0, 100, 200)] == [
        200,
        503,
        200,
    ]


def test_a_fault_may_belong_to_a_path(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, endpoint="account"))
    assert _statuses(hunter, "n5.example") == [200]
    assert hunter.get("account").status == 503


def test_a_fault_may_be_counted_per_domain(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, count_per="domain"))
    assert _statuses(hunter, "n5.example", "n6.example", "n5.example", "n6.example") == [503, 503, 200, 200]


def test_a_fault_may_be_counted_per_page(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE, count_per="page"))
    offsets = (0, 100, 0, 100)
    assert [hunter.search("n250.example", offset=offset).status for offset in offsets] == [503, 503, 200, 200]


def test_the_first_fault_set_goes_first(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE))
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=500)))
    assert _statuses(hunter, *["n5.example"] * 3) == [503, 500, 200]


def test_random_faults_strike_at_their_probability_and_depend_on_the_seed_alone() -> None:
    def struck(seed: int, order: int) -> set[Asked]:
        board = FaultBoard()
        board.add(Fault(action=UNAVAILABLE, probability=0.3, seed=seed, times=None))
        asked = [Asked("domain-search", f"n{number}.example", 0) for number in range(2000)]
        return {each for each in asked[::order] if board.hit(each)}

    assert 500 < len(struck(1, 1)) < 700
    assert struck(1, 1) == struck(1, -1)
    assert struck(1, 1) != struck(2, 1)


def test_a_random_fault_may_spare_the_next_try_of_the_same_page() -> None:
    board = FaultBoard()
    board.add(Fault(action=UNAVAILABLE, probability=0.5, times=None))
    outcomes = [board.hit(Asked("domain-search", "n5.example", 0)) is not None for _ in range(50)]
    assert 10 < sum(outcomes) < 40


def test_a_throttled_request_uses_no_fault_up() -> None:
    hunter = Asking(Config(settings=Settings(per_second=1)))
    hunter.search("n5.example")
    hunter.simulator.add_fault(Fault(action=UNAVAILABLE))
    assert _statuses(hunter, "n5.example") == [403]
    hunter.clock.seconds += 1
    assert _statuses(hunter, "n5.example") == [503]


def test_a_status_carries_hunters_identifier_for_it(hunter: Asking) -> None:
    ids = {}
    for status in (400, 401, 402, 403, 404, 422, 429, 451, 500, 502, 503, 504, 418):
        hunter.clock.seconds += 1
        hunter.simulator.add_fault(Fault(action=AnswerStatus(status=status)))
        seen, ids[status] = hunter.search("n5.example").error_id
        assert seen == status
    assert (ids[401], ids[403], ids[451]) == ("authentication_failed", "too_many_requests", "claimed_email")
    assert ids[418] == "unknown_error"


def test_an_unclear_429_speaks_neither_of_rate_nor_of_plan(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=429)))
    assert hunter.search("n5.example").error == (429, "too_many_requests", "Too many requests.")


def test_a_status_may_carry_any_identifier_details_and_form(hunter: Asking) -> None:
    action = AnswerStatus(status=400, error_id="invalid_domain", details="No MX.", form="error")
    hunter.simulator.add_fault(Fault(action=action))
    assert hunter.search("n5.example").body == {"error": {"id": "invalid_domain", "code": 400, "details": "No MX."}}


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_proxys_html_page_comes_with_any_status(hunter: Asking, status: int) -> None:
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=status, form="html")))
    answer = hunter.search("n5.example")
    assert (answer.status, answer.outgoing.content_type) == (status, "text/html")
    assert b"<html>" in answer.outgoing.body


def test_cloudflares_text_and_an_empty_body(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=403, form="text")))
    hunter.simulator.add_fault(Fault(action=AnswerStatus(status=500, form="empty")))
    assert hunter.search("n5.example").outgoing.body == b"error code: 1010"
    assert hunter.search("n5.example").outgoing.body == b""


def test_retry_after_in_seconds_and_as_a_date(hunter: Asking) -> None:
    hunter.simulator.add_fault(Fault(action=AnswerStatus(retry_after=90)))
    hunter.simulator.add_fault(Fault(action=AnswerStatus(retry_after=90, retry_after_as_date=True)))
    assert hunter.search("n5.example").outgoing.headers == (("Retry-After", "90"),)
    assert hunter.search("n5.example").outgoing.headers == (("Retry-After", "Tue, 24 Nov 2026 12:01:30 GMT"),)


@pytest.mark.parametrize("action", [CutBody(), Reset(charged=True), AnswerStatus(status=504, charged=True)])
def test_what_was_computed_is_charged_even_if_its_answer_is_lost(
    hunter: Asking, action: CutBody | Reset | AnswerStatus
) -> None:
    hunter.simulator.add_fault(Fault(action=action))
    lost, again = hunter.search("n250.example", limit=100), hunter.search("n250.example", limit=100)
    assert (lost.credits, again.credits, again.entry.repeat) == (10, 0, True)
    assert hunter.simulator.report().of_domain("n250.example").pages == ((0, 100),)


@pytest.mark.parametrize("action", [Reset(), AnswerStatus(status=504)])
def test_what_never_reached_hunter_is_not_charged(hunter: Asking, action: Reset | AnswerStatus) -> None:
    hunter.simulator.add_fault(Fault(action=action))
    lost, again = hunter.search("n250.example", limit=100), hunter.search("n250.example", limit=100)
    assert (lost.credits, again.credits, again.entry.repeat) == (0, 10, False)


def test_wrong_types_leave_an_answer_alone_that_is_no_json() -> None:
    hunter = Asking(Config(settings=Settings(error_form="html"), faults=(Fault(action=WrongTypes()),)))
    answer = hunter.search("nonsense")
    assert (answer.status, answer.outgoing.content_type) == (400, "text/html")


@pytest.mark.parametrize(
    "wrong",
    [{"action": {"do": "explode"}}, {"action": {"do": "cut", "kept": 1}}, {"action": {"do": "reset"}, "times": 0},
     {"action": {"do": "reset"}, "probability": 0}, {"action": {"do": "reset"}, "domian": "x.example"}, {}],
)  # fmt: skip
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Fault)
