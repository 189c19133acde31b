"""Storing: fresh answers cost nothing, new ones replace the old in one step, refused domains are forgotten."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.collector.running import DOMAIN, collect, stored
from hunter_simulator import DEFAULT_KEY, AnswerStatus, Domain, Fault, Plan, Simulator
from novahunt_contract import document as documents
from novahunt_contract import times
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import Changed


async def test_a_fresh_document_is_answered_without_a_request(simulator: Simulator, folder: Path) -> None:
    first = await collect(simulator, folder)
    simulator.clear_report()
    second = await collect(simulator, folder, NOVAHUNT_RUN="2")
    assert simulator.report().requests == 0
    assert second.receipt.from_storage
    assert (second.receipt.run, second.receipt.credits, second.receipt.requests) == (2, 0, 0)
    for field in ("reason", "items", "reported", "sha256", "bytes", "collected_at", "stored_at", "search_hash"):
        assert getattr(second.receipt, field) == getattr(first.receipt, field)


async def test_the_receipt_and_the_document_name_the_same_bytes_and_run(simulator: Simulator, folder: Path) -> None:
    ended = await collect(
        simulator, folder, NOVAHUNT_RUN="4", NOVAHUNT_COLLECTION="q4", NOVAHUNT_JOB_ID="collect-example.com-1"
    )
    data = (folder / f"{DOMAIN}.json").read_bytes()
    assert (ended.receipt.sha256, ended.receipt.bytes) == (documents.digest(data), len(data))
    assert ended.document is not None
    assert (ended.document.run, ended.document.collection, ended.document.job_id) == (4, "q4", "collect-example.com-1")
    assert ended.receipt.changed is None
    raw = msgspec.json.decode(data)
    assert list(raw)[:6] == ["domain", "items", "total", "storedAt", "collectedAt", "jobId"]
    assert list(raw["items"][0])[:5] == ["email", "name", "title", "confidence", "source"]


@pytest.mark.parametrize(("age", "asked"), [(timedelta(hours=-1), False), (timedelta(hours=1), True)])
async def test_what_was_collected_before_the_wish_is_collected_again(
    simulator: Simulator,
    folder: Path,
    age: timedelta,
    asked: bool,  # noqa: FBT001 - a table
) -> None:
    await collect(simulator, folder)
    simulator.clear_report()
    ended = await collect(simulator, folder, NOVAHUNT_NOT_BEFORE=times.to_text(datetime.now(UTC) + age))
    assert (simulator.report().requests > 0) is asked
    assert ended.receipt.from_storage is not asked


async def test_another_search_is_collected_again(simulator: Simulator, folder: Path) -> None:
    await collect(simulator, folder)
    ended = await collect(simulator, folder, NOVAHUNT_SEARCH='{"type": "generic"}')
    assert not ended.receipt.from_storage


async def test_a_higher_cap_collects_again_only_what_ended_at_the_cap(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 90)
    await collect(simulator, folder, HUNTER_MAX_COLLECT="50")
    assert (await collect(simulator, folder, HUNTER_MAX_COLLECT="50")).receipt.from_storage
    higher = await collect(simulator, folder, HUNTER_MAX_COLLECT="200")
    assert (higher.receipt.from_storage, higher.receipt.items) == (False, 90)
    assert (await collect(simulator, folder, HUNTER_MAX_COLLECT="5000")).receipt.from_storage


async def test_again_asks_hunter_and_says_what_changed(simulator: Simulator, folder: Path) -> None:
    simulator.set_domain(DOMAIN, 25)
    await collect(simulator, folder)
    simulator.set_domain(DOMAIN, 30)
    grown = await collect(simulator, folder, again=True)
    assert grown.receipt.changed == Changed(added=5)
    simulator.set_domain(DOMAIN, 10)
    shrunk = await collect(simulator, folder, again=True)
    assert shrunk.receipt.changed == Changed(removed=20)
    assert (await collect(simulator, folder, again=True)).receipt.changed == Changed()


async def test_when_the_new_run_fails_the_old_document_stays(simulator: Simulator, folder: Path) -> None:
    first = await collect(simulator, folder)
    simulator.set_key(DEFAULT_KEY, Plan(credits=0))
    failed = await collect(simulator, folder, again=True)
    assert failed.receipt.reason is Reason.QUOTA_EXHAUSTED
    assert failed.document == first.document


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (AnswerStatus(status=400, error_id="invalid_domain"), Reason.DOMAIN_REFUSED),
        (AnswerStatus(status=451), Reason.CLAIMED),
    ],
)
async def test_an_owner_or_a_person_who_wants_out_has_what_was_stored_removed(
    simulator: Simulator, folder: Path, action: AnswerStatus, reason: Reason
) -> None:
    await collect(simulator, folder)
    simulator.add_fault(Fault(action=action, times=None))
    ended = await collect(simulator, folder, again=True)
    assert ended.receipt.reason is reason
    assert "what was stored for it is removed" in ended.receipt.message
    assert os.listdir(folder) == []  # noqa: PTH208 - no task waits meanwhile
    nothing = await collect(simulator, folder)
    assert "removed" not in nothing.receipt.message


async def test_a_later_runs_document_ends_an_earlier_run_quietly(simulator: Simulator, folder: Path) -> None:
    later = await collect(simulator, folder, NOVAHUNT_RUN="5", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-2000")
    simulator.set_domain(DOMAIN, Domain(size=3))
    ended = await collect(simulator, folder, again=True, NOVAHUNT_RUN="4", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-1000")
    assert ended.document == later.document == stored(folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert "later run" in ended.receipt.message
    assert ended.receipt.sha256 == later.receipt.sha256


async def test_a_run_that_started_later_replaces_a_higher_number_whose_record_was_deleted(
    simulator: Simulator, folder: Path
) -> None:
    await collect(simulator, folder, NOVAHUNT_RUN="5", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-1000")
    simulator.set_domain(DOMAIN, Domain(size=3))
    await collect(simulator, folder, again=True, NOVAHUNT_RUN="1", NOVAHUNT_JOB_ID=f"collect-{DOMAIN}-2000")
    now = stored(folder)
    assert now is not None
    assert len(now.items) == 3
