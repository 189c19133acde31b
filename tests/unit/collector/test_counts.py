"""Counts of an estimate: what of them would be collected, what that costs, and how it is shown."""

import json

import pytest

from novahunt_collector import counts
from novahunt_collector.answers import EmailCount
from novahunt_collector.counts import Count, CountOutput, Wish
from novahunt_collector.output import Format

HUNTER = EmailCount(total=230, personal=200, generic=30)


@pytest.mark.parametrize(
    ("wish", "emails", "cost"),
    [
        (Wish(5000, 100, None), 230, 23),
        (Wish(150, 100, None), 150, 15),
        (Wish(5000, 100, "personal"), 200, 20),
        (Wish(5000, 100, "generic"), 30, 3),
        (Wish(25, 100, "generic"), 25, 3),
        (Wish(5000, 15, "generic"), 30, 4),
    ],
)
def test_what_would_be_collected_is_capped_by_type_and_by_max_results(wish: Wish, emails: int, cost: int) -> None:
    count = counts.counted("a.example", HUNTER, wish)
    assert (count.total, count.emails, count.credits) == (230, emails, cost)


def test_a_type_that_hunter_does_not_count_is_bounded_by_the_total() -> None:
    count = counts.counted("a.example", EmailCount(7, None, None), Wish(5000, 100, "generic"))
    assert (count.emails, count.credits) == (7, 1)


def test_a_refused_domain_costs_nothing_and_says_why() -> None:
    assert counts.nothing("a.example", counts.REFUSED) == Count("a.example", 0, 0, 0, 0, 0, "refused by Hunter")


ROWS = (
    counts.counted("a.example", EmailCount(1234, 1000, 234), Wish(1000, 100, None)),
    counts.nothing("longer-name.example", counts.REFUSED),
)


def shown(chosen: Format | None, *rows: Count, capsysbinary: pytest.CaptureFixture[bytes]) -> str:
    output = CountOutput(chosen, [row.domain for row in rows])
    for row in rows:
        output.add(row)
    output.close()
    return capsysbinary.readouterr().out.decode()


def test_people_see_a_table_with_its_sum(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert shown(None, *ROWS, capsysbinary=capsysbinary) == (
        "domain               at Hunter  to collect  credits\n"
        "a.example                1,234       1,000      100\n"
        "longer-name.example          0           0        0  refused by Hunter\n"
        "all                      1,234       1,000      100\n"
    )


def test_a_single_domain_needs_no_sum(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert shown(None, ROWS[0], capsysbinary=capsysbinary).splitlines()[-1].startswith("a.example")


def test_machines_get_what_was_counted_in_their_format(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    first = {
        "domain": "a.example", "total": 1234, "personal": 1000, "generic": 234, "emails": 1000, "credits": 100,
        "note": "",
    }  # fmt: skip
    assert json.loads(shown(Format.JSON, *ROWS, capsysbinary=capsysbinary))[0] == first
    assert json.loads(shown(Format.JSON, capsysbinary=capsysbinary)) == []
    assert json.loads(shown(Format.JSONL, *ROWS, capsysbinary=capsysbinary).splitlines()[0]) == first
    assert shown(Format.CSV, *ROWS, capsysbinary=capsysbinary) == (
        "domain,total,personal,generic,emails,credits,note\r\n"
        "a.example,1234,1000,234,1000,100,\r\n"
        "longer-name.example,0,0,0,0,0,refused by Hunter\r\n"
    )
