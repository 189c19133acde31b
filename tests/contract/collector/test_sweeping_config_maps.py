"""Sweeps of documents in ConfigMaps, by way of the intake, and of collections that have changed their storage."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from contract.collector.failing_intake import FailingIntake, running
from contract.collector.planted import Lists, traces
from contract.collector.running import DOMAIN
from contract.collector.sweeps import JANE, document, put, sweep, sweep_environ
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract import intake as contract
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason

INTAKE = names.STORAGE_INTAKE


@pytest.fixture
async def intake() -> AsyncIterator[FailingIntake]:
    async with running(FailingIntake()) as serving:
        for one in (document(), document("other.example"), document("third.example", "a@third.example")):
            serving.config_maps[one.domain] = documents.encode(one)
        yield serving


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path / "lists", JANE.upper())


async def test_whom_a_list_names_goes_and_everybody_else_stays(
    intake: FailingIntake, lists: Lists, place: Path
) -> None:
    before = dict(intake.config_maps)
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.domains, end.receipt.changed, end.receipt.emails) == (ExitCode.DONE, 3, 2, 2)
    after = documents.decode(intake.config_maps[DOMAIN])
    kept = tuple(item for item in document().items if item.email != JANE)
    assert after == msgspec.structs.replace(document(), items=kept, total=2, suppressed=1, stored_at=after.stored_at)
    assert intake.config_maps["third.example"] == before["third.example"]
    # A replacement speaks for itself.
    assert intake.swept == []
    assert traces(JANE, *intake.config_maps.values(), place, end.log, end.receipt, intake.heard) == []


async def test_a_named_domain_and_what_is_too_old_are_told_to_the_operator(
    intake: FailingIntake, lists: Lists, place: Path
) -> None:
    old = document("old.example", "a@old.example", collected_at="2026-11-19T11:59:59.999Z")
    intake.config_maps["old.example"] = documents.encode(old)
    lists.write("other.example")
    limit = {names.RETAIN_FROM: "2026-11-19T12:00:00.000Z"}
    end = await sweep(sweep_environ(INTAKE, lists.environ, limit, intake.environ(place)), place)
    assert intake.swept == [
        contract.Swept("old.example", removed=True, expired=True),
        contract.Swept("other.example", removed=True),
    ]
    assert set(intake.config_maps) == {DOMAIN, "third.example"}
    assert (end.receipt.domains, end.receipt.removed, end.receipt.emails) == (4, 2, 4)


async def test_while_a_run_has_a_document_in_hand_it_is_left_alone(
    intake: FailingIntake, lists: Lists, place: Path
) -> None:
    intake.busy = {DOMAIN}
    before = dict(intake.config_maps)
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.changed) == (ExitCode.DONE, 1)
    assert intake.config_maps[DOMAIN] == before[DOMAIN]
    assert "1 left alone" in end.receipt.message


async def test_after_a_change_of_storage_both_places_are_swept(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("fourth.example"))
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert (end.receipt.domains, end.receipt.changed, end.receipt.emails) == (5, 4, 4)
    assert [told.domain for told in intake.swept] == [DOMAIN, "fourth.example"]
    assert traces(JANE, folder, *intake.config_maps.values()) == []


async def test_a_damaged_document_is_left_to_the_operator(intake: FailingIntake, lists: Lists, place: Path) -> None:
    intake.config_maps[DOMAIN] = intake.config_maps[DOMAIN][:-9]
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.domains, end.receipt.changed) == (ExitCode.DONE, 2, 1)
    assert "can't be read" in end.log


@pytest.mark.parametrize(
    ("status", "code", "reason"), [(507, 21, Reason.STORAGE), (400, 21, Reason.STORAGE), (403, 1, Reason.INTERRUPTED)]
)
async def test_what_the_intake_does_not_take_ends_the_sweep_with_its_reason(
    intake: FailingIntake, lists: Lists, place: Path, *, status: int, code: int, reason: Reason
) -> None:
    intake.put_statuses = [status]
    before = dict(intake.config_maps)
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.reason, intake.config_maps) == (code, reason, before)
    assert "told so by the test" in end.receipt.message


async def test_one_document_that_is_not_taken_keeps_no_other_from_being_swept(
    intake: FailingIntake, lists: Lists, place: Path
) -> None:
    intake.put_statuses = [507, 200]
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.changed) == (ExitCode.STORAGE_FAILED, 1)
    assert documents.decode(intake.config_maps["other.example"]).total == 2


async def test_a_listing_that_is_refused_ends_the_sweep(intake: FailingIntake, lists: Lists, place: Path) -> None:
    intake.list_statuses = [404]
    end = await sweep(sweep_environ(INTAKE, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.reason) == (ExitCode.STORAGE_FAILED, Reason.STORAGE)
