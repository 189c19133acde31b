"""What the page shows of collections and domains."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import builders
from novahunt_contract.outcomes import Reason
from novahunt_gateway.page import chart, views
from novahunt_gateway.page.samples import MOST, Ring, Sample, Samples
from page import memory_gateway as memory

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def held() -> memory.MemoryGateway:
    gateway = memory.MemoryGateway()
    memory.working(gateway)
    memory.finished(gateway)
    return gateway


def test_a_collection_at_work_is_told_in_words_and_numbers() -> None:
    one = views.summary(held().held["q4-prospects"])
    assert (one.tone.word, one.ended, one.total, one.percent) == ("Running", 47, 120, 39)
    assert (one.used, one.limit, one.eta) == (402, 500, "2026-11-24 13:10")


def test_a_screen_reader_is_not_told_every_percent() -> None:
    gateway = held()
    memory.working(gateway, done=46)
    before = views.summary(gateway.held["q4-prospects"])
    memory.working(gateway, done=47)
    after = views.summary(gateway.held["q4-prospects"])
    assert before.percent != after.percent
    assert before.said == after.said


@pytest.mark.parametrize(
    ("conditions", "suspend", "word"),
    [
        ([], False, "New"),
        ([("Ready", "True", "Completed")], False, "Done"),
        ([("Ready", "True", "Estimated")], False, "Estimated"),
        ([("Ready", "False", "Suspended"), ("Suspended", "True", "Suspended")], True, "Suspended"),
        ([("Ready", "False", "KeyRefused"), ("Stalled", "True", "KeyRefused")], False, "Needs you"),
        ([("Ready", "False", "JobRate"), ("Waiting", "True", "JobRate")], False, "Waiting"),
        ([("Ready", "False", "Collecting")], False, "Running"),
    ],
)
def test_each_state_has_a_word(conditions: list[tuple[str, str, str]], suspend: bool, word: str) -> None:  # noqa: FBT001
    said = [{"type": kind, "status": status, "reason": reason} for kind, status, reason in conditions]
    one = memory.MemoryGateway().hold("x", spec={"suspend": suspend}, status={"conditions": said})
    assert views.summary(one).tone.word == word


def test_failed_domains_come_first_then_running_ones() -> None:
    gateway = held()
    found = views.rows(gateway.held["q4-prospects"], gateway.results("q4-prospects"))
    assert [row.tone.word for row in found.rows[:5]] == ["Failed", "Failed", "Running", "Running", "Collected"]
    assert found.rows[0].message == f"The runs were interrupted each time: try again. ({memory.HOSTILE})"
    assert (found.matching, found.pages, len(found.rows)) == (120, 2, views.PAGE_ROWS)


@pytest.mark.parametrize(
    ("spec", "ran_under", "word", "state"),
    [
        ({"domains": ["a.example"]}, {}, "Failed", "failed"),
        ({"domains": ["a.example"], "retryFailed": "1"}, {"retry_failed": "1"}, "Failed", "failed"),
        ({"domains": ["a.example"], "retryFailed": "2"}, {"retry_failed": "1"}, "Waiting", "waiting"),
        ({"domains": ["a.example"], "recollect": "2"}, {}, "Waiting", "waiting"),
        ({"domains": ["b.example"]}, {}, "Removed", ""),
        ({"domainsFrom": [{"configMapKeyRef": {"name": "leads", "key": "list.txt"}}]}, {}, "Failed", "failed"),
        ({"domains": "not a list"}, {}, "Failed", "failed"),
    ],
)
def test_a_failure_counts_until_the_domain_is_to_run_again_or_is_removed_from_the_list(
    spec: dict[str, Any], ran_under: dict[str, Any], word: str, state: str
) -> None:
    one = memory.MemoryGateway().hold("x", spec=spec)
    results = [builders.stored(builders.result("a.example", Reason.CLAIMED, **ran_under))]
    found = {row.domain: row for row in views.rows(one, results).rows}
    assert found["a.example"].tone.word == word
    for asked in filter(None, views.STATES):
        shown = [row.domain for row in views.rows(one, results, asked).rows]
        assert ("a.example" in shown) is (asked == state)


@pytest.mark.parametrize(
    ("state", "number"), [("failed", 2), ("running", 2), ("done", 45), ("waiting", 71), ("x", 120)]
)
def test_domains_are_narrowed_to_a_state(state: str, number: int) -> None:
    gateway = held()
    assert views.rows(gateway.held["q4-prospects"], gateway.results("q4-prospects"), state).matching == number


def test_domains_are_searched_and_a_page_too_far_is_the_last() -> None:
    gateway = held()
    one, results = gateway.held["q4-prospects"], gateway.results("q4-prospects")
    assert views.rows(one, results, search=" COMPANY-11").matching == 11
    assert views.rows(one, results, page=99).page == 2


def test_collections_are_found_by_name() -> None:
    assert [one.name for one in views.listed(held().collections(), "Q4")] == ["q4-prospects"]


def sample(seconds: float, ended: int, credits_: int = 0) -> Sample:
    return Sample(START + timedelta(seconds=seconds), credits_, ended)


def test_one_sample_makes_no_chart() -> None:
    assert chart.draw([sample(0, 1)]) is None


def test_a_chart_and_its_table_say_the_same() -> None:
    drawn = chart.draw([sample(0, 0, 0), sample(30, 10, 5), sample(60, 10, 20)])
    assert drawn is not None
    assert [(row.at, row.credits, row.rate) for row in drawn.rows] == [
        ("12:00:00", 0, "20.0"),
        ("12:00:30", 5, "20.0"),
        ("12:01:00", 20, "10.0"),
    ]
    assert drawn.lines[0].line == "0.0,96.0 160.0,73.0 320.0,4.0"


def test_the_rate_is_that_of_the_last_minute() -> None:
    drawn = chart.draw([sample(second, min(second, 60)) for second in range(0, 180, 10)])
    assert drawn is not None
    assert (drawn.lines[1].top, drawn.lines[1].last) == ("60.0", "0.0")


def test_a_count_that_falls_is_no_negative_rate() -> None:
    drawn = chart.draw([sample(0, 10), sample(60, 4)])
    assert drawn is not None
    assert drawn.lines[1].last == "0.0"


def test_a_ring_stays_small_and_keeps_its_whole_time() -> None:
    ring = Ring()
    for second in range(0, 100_000, 5):
        ring.take(sample(second, second))
    assert len(ring.samples) <= MOST
    assert ring.samples[0].at == START
    assert (ring.samples[-1].at - START).total_seconds() > 90_000


def test_a_collection_that_is_gone_leaves_no_samples() -> None:
    gateway, samples = held(), Samples()
    samples.take(gateway.collections(), START)
    assert len(samples.of("uid-berlin")) == 1
    del gateway.held["berlin"]
    samples.take(gateway.collections(), START)
    assert samples.of("uid-berlin") == ()
