"""Forgetting without Kubernetes: a person's own suppression lists, for what is collected and for what is stored."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.collector.planted import traces
from contract.collector.running import DOMAIN, environ, run_process, stored
from contract.collector.sweeps import JANE, contents, document, put
from hunter_simulator import Simulator
from novahunt_contract import environment as names
from novahunt_contract import times
from novahunt_contract.exitcodes import ExitCode


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def alone(place: Path) -> dict[str, str]:
    """Return the environment of a person who has no key at hand."""
    return {names.TERMINATION_LOG: str(place / "receipt")}


async def test_whom_a_list_names_is_not_stored_or_printed(simulator: Simulator, place: Path) -> None:
    person = simulator.truth(DOMAIN)[3].value.lower()
    (place / "list.txt").write_text(person.upper())
    (place / "more.txt").write_text("other.example\n")
    simulator.set_domain("other.example", 5)
    arguments = [DOMAIN, "other.example", "--suppress", "list.txt", "--suppress", "more.txt", "--output", "csv"]
    process = await run_process(arguments, environ(simulator, place / "c"), place)
    assert process.code == ExitCode.DONE
    assert traces(person, place / "c", process.output, process.log) == []
    document_now = stored(place / "c")
    assert document_now is not None
    assert (document_now.total, document_now.suppressed) == (24, 1)
    assert {entry.domain for entry in simulator.report().log} == {DOMAIN}


async def test_a_list_that_is_missing_lets_nothing_be_asked(simulator: Simulator, place: Path) -> None:
    process = await run_process([DOMAIN, "--suppress", "list.txt"], environ(simulator, place / "c"), place)
    assert process.code == ExitCode.BAD_REQUEST
    assert "list.txt can't be read: No such file" in process.log
    assert simulator.report().requests == 0


async def test_what_is_stored_forgets_whom_a_list_names(place: Path) -> None:
    folder = place / "data" / "collections"
    folder.parent.mkdir()
    put(folder, document(), document("other.example"), document("third.example", "a@third.example"))
    (place / "list.txt").write_text(f"{JANE}\n@third.example\n")
    process = await run_process(["--sweep", "--suppress", "list.txt"], alone(place), place)
    assert process.code == ExitCode.DONE
    assert traces(JANE, folder, process.log, process.output) == []
    assert "3 documents read, 3 changed and 0 removed: 3 addresses less" in process.log


async def test_what_is_older_than_so_many_days_goes(place: Path) -> None:
    now = datetime.now(UTC)
    ages = {f"n{days}.example": times.to_text(now - timedelta(days=days)) for days in (1, 29, 31, 400)}
    put(place / "kept", *(document(domain, f"a@{domain}", collected_at=at) for domain, at in ages.items()))
    process = await run_process(["--sweep", "--older-than", "30", "--folder", "kept"], alone(place), place)
    assert process.code == ExitCode.DONE
    assert set(contents(place / "kept")) == {"n1.example.json", "n29.example.json"}


async def test_a_sweep_with_a_wrong_list_touches_nothing(place: Path) -> None:
    put(place / "kept", document())
    before = contents(place / "kept")
    (place / "list.txt").write_text("secretname\n")
    process = await run_process(["--sweep", "--suppress", "list.txt", "--folder", "kept"], alone(place), place)
    assert process.code == ExitCode.BAD_REQUEST
    assert "list.txt: line 1 can't be understood" in process.log
    assert "secretname" not in process.log
    assert contents(place / "kept") == before
