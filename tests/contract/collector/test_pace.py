"""Pace: never faster than the key allows, patient when throttled, and Retry-After to the letter."""

import logging
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN, collect
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Config, Domain, Fault, Settings, Simulator, running_simulator
from novahunt_contract.outcomes import Outcome, Reason


async def test_without_an_intake_no_request_is_above_the_rate(simulator: Simulator, folder: Path) -> None:
    simulator.set_settings(Settings())
    simulator.set_domain(DOMAIN, 390)
    ended = await collect(
        simulator,
        folder,
        HUNTER_PAGE_SIZE="10",
        HUNTER_REQUESTS_PER_SECOND="15",
        HUNTER_REQUESTS_PER_MINUTE="500",
    )
    key = simulator.report().of_key(DEFAULT_KEY)
    assert ended.receipt.items == 390
    assert (key.throttled, key.requests) == (0, 40)
    assert 8 <= key.most_in_a_second <= 15


async def test_a_key_that_others_use_too_is_waited_for(folder: Path) -> None:
    tight = Settings(per_second=2, per_minute=100)
    async with running_simulator(Config(settings=tight, domains={DOMAIN: Domain(size=60)})) as simulator:
        ended = await collect(simulator, folder, HUNTER_PAGE_SIZE="10", NOVAHUNT_BACKOFF_CAP_SECONDS="1")
        assert ended.receipt.reason is Reason.COLLECTED
        assert ended.receipt.items == 60
        assert simulator.report().throttled > 0
        assert ended.receipt.credits == simulator.report().credits


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_is_never_undercut(
    simulator: Simulator,
    folder: Path,
    status: int,
    as_date: bool,  # noqa: FBT001 - a table
) -> None:
    action = AnswerStatus(status=status, retry_after=1, retry_after_as_date=as_date)
    simulator.add_fault(Fault(action=action, endpoint="domain-search"))
    ended = await collect(simulator, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    first, second = (entry.clock for entry in simulator.report().log)
    assert 1.0 <= second - first < 3.5


async def test_a_retry_after_beyond_all_patience_gives_up_at_once(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403, retry_after=3600), times=None))
    ended = await collect(simulator, folder)
    assert (ended.receipt.reason, ended.receipt.outcome) == (Reason.THROTTLED, Outcome.PENDING)
    assert ended.receipt.requests == 1


async def test_throttling_never_counts_as_a_try_that_failed(simulator: Simulator, folder: Path) -> None:
    for _ in range(3):
        simulator.add_fault(Fault(action=AnswerStatus(status=403), times=20))
        simulator.add_fault(Fault(action=AnswerStatus(status=503), times=1))
    ended = await collect(simulator, folder, NOVAHUNT_MAX_FAILURES="4")
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.COLLECTED, 64)


async def test_throttling_ends_with_the_total_time(simulator: Simulator, folder: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403), times=None))
    ended = await collect(simulator, folder, NOVAHUNT_PATIENCE_SECONDS="0.3")
    assert (ended.receipt.reason, ended.receipt.outcome) == (Reason.THROTTLED, Outcome.PENDING)
    assert "slow down" in ended.receipt.message


async def test_the_log_lines_are_word_for_word(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.set_domain(DOMAIN, 150)
    simulator.add_fault(Fault(action=AnswerStatus(status=403), offset=100))
    with caplog.at_level(logging.DEBUG):
        ended = await collect(simulator, folder)
        simulator.remove_key(DEFAULT_KEY)
        failed = await collect(simulator, folder, again=True)
    one, two = ended.receipt.job_id, failed.receipt.job_id
    lines = [line for line in caplog.messages if line.startswith(("[CollectionWorker]", "hunter rate"))]
    backing_off = lines.pop(1)
    assert backing_off.startswith("hunter rate limited, backing off ")
    assert backing_off.endswith("ms for domain=example.com page=2")
    assert lines == [
        f"[CollectionWorker] Processing job {one} for domain: example.com",
        f"[CollectionWorker] Successfully completed job {one} for example.com",
        f"[CollectionWorker] Processing job {two} for domain: example.com",
        (
            f"[CollectionWorker] Job {two} failed for example.com: "
            "Hunter does not accept the key (HTTP 401, authentication_failed)"
        ),
    ]


async def test_no_address_key_or_query_string_is_logged_even_at_debug(
    simulator: Simulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.set_domain(DOMAIN, 150)
    for action in (AnswerStatus(status=403), AnswerStatus(status=429), AnswerStatus(status=503, form="html")):
        simulator.add_fault(Fault(action=action))
    details = "jane@example.com asked us to stop; your key was demo-key"
    with caplog.at_level(logging.DEBUG):
        await collect(simulator, folder)
        simulator.add_fault(Fault(action=AnswerStatus(status=451, details=details), times=None))
        await collect(simulator, folder, again=True)
        simulator.clear_faults()
        simulator.add_fault(Fault(action=AnswerStatus(status=400, details=details), times=None))
        last = await collect(simulator, folder)
    # The simulator logs in this process as well; what it says is not ours.
    ours = [record for record in caplog.records if not record.name.startswith(("hunter_simulator", "aiohttp"))]
    everything = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in ours)
    everything += str(last.receipt)
    assert "Processing job" in everything
    for secret in (DEFAULT_KEY, "@", "limit=", "offset=", "?domain", "X-API-KEY", simulator.base_url):
        assert secret not in everything
