"""The report: what was asked, answered and spent."""

import msgspec

from hunter_simulator import Config, Report, Settings, fingerprint
from unit.hunter_simulator.asking import AGENT, Asking


def test_requests_credits_and_pages_are_told_per_domain(hunter: Asking) -> None:
    for offset in (0, 100, 200, 100):
        hunter.search("n230.example", limit=100, offset=offset)
    hunter.search("n7.example", limit=100)
    report = hunter.simulator.report()
    domain = report.of_domain("n230.example")
    assert (domain.requests, domain.credits, domain.addresses) == (4, 23, 330)
    assert domain.pages == ((0, 100), (100, 100), (200, 100))
    assert (report.pages_served, report.repeats_free, report.credits, report.requests) == (4, 1, 24, 5)


def test_requests_and_credits_are_told_per_key(hunter: Asking) -> None:
    hunter.simulator.set_key("other")
    hunter.search("n25.example", limit=25)
    hunter.search("n25.example", limit=25, key="other")
    hunter.search("n25.example", limit=25, key="other")
    hunter.get("account", key="wrong")
    report = hunter.simulator.report()
    other = report.of_key("other")
    assert (other.requests, other.credits, other.repeats_free) == (2, 3, 1)
    assert report.of_key("demo-key").credits == 3
    assert report.of_key("wrong").requests == 1
    assert report.of_key("never seen").requests == 0


def test_paths_statuses_and_user_agents_are_counted(hunter: Asking) -> None:
    hunter.search("n25.example")
    hunter.search("nonsense")
    hunter.get("account", agent="python-httpx/1")
    report = hunter.simulator.report()
    assert report.paths == {"/v2/domain-search": 2, "/v2/account": 1}
    assert report.statuses == {200: 1, 400: 1, 403: 1}
    assert report.user_agents == {AGENT: 2, "python-httpx/1": 1}
    assert report.refused_clients == 1


def test_the_log_tells_each_request_without_its_key(hunter: Asking) -> None:
    hunter.search("n25.example", limit=20, offset=20)
    report = hunter.simulator.report()
    (entry,) = report.log
    assert (entry.domain, entry.offset, entry.limit, entry.status, entry.credits) == ("n25.example", 20, 20, 200, 1)
    assert (entry.at, entry.clock, entry.key) == ("2026-11-24T12:00:00.000+00:00", 1000.0, fingerprint("demo-key"))
    assert b"demo-key" not in msgspec.json.encode(report)


def test_the_log_is_bounded_and_the_counts_are_not() -> None:
    hunter = Asking(Config(settings=Settings(log_size=3)))
    for offset in range(5):
        hunter.search("n25.example", offset=offset)
    report = hunter.simulator.report()
    assert [entry.offset for entry in report.log] == [2, 3, 4]
    assert (report.log_dropped, report.requests) == (2, 5)


def test_the_log_can_be_left_out(hunter: Asking) -> None:
    hunter.search("n25.example")
    assert hunter.simulator.report(with_log=False).log == ()


def test_clearing_the_report_leaves_accounts_alone(hunter: Asking) -> None:
    hunter.search("n25.example")
    hunter.simulator.clear_report()
    assert hunter.simulator.report().requests == 0
    assert hunter.search("n25.example").credits == 0


def test_a_reset_forgets_everything() -> None:
    hunter = Asking(Config(domains={}))
    hunter.search("n25.example")
    hunter.simulator.set_domain("n25.example", 3)
    hunter.simulator.reset()
    again = hunter.search("n25.example")
    assert (again.results, again.credits) == (25, 1)


def test_the_report_survives_json(hunter: Asking) -> None:
    hunter.search("n25.example")
    report = hunter.simulator.report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
