"""Sweeps of a folder: what lists name and what is too old goes, and all else stays byte for byte."""

import os
from pathlib import Path

import msgspec

from contract.collector.failing_intake import FailingIntake
from contract.collector.planted import Lists, traces
from contract.collector.resuming import interrupted
from contract.collector.running import DOMAIN
from contract.collector.sweeps import JANE, contents, document, no_traces, put, sweep, sweep_environ
from hunter_simulator import Simulator
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract import intake as contract
from novahunt_contract.errands import ErrandReceipt, Task
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason


def there(path: Path) -> bool:
    return os.path.lexists(path)


async def test_whom_a_list_names_goes_and_everybody_else_stays(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    before = document()
    put(
        folder,
        before,
        document("other.example", JANE, "ada@other.example"),
        document("third.example", "a@third.example"),
    )
    untouched = contents(folder)["third.example.json"]
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert end.code == ExitCode.DONE
    after = documents.decode(contents(folder)["example.com.json"])
    kept = tuple(item for item in before.items if item.email != JANE)
    assert after == msgspec.structs.replace(before, items=kept, total=2, suppressed=1, stored_at=after.stored_at)
    assert after.stored_at > before.stored_at
    assert contents(folder)["third.example.json"] == untouched
    assert end.receipt == ErrandReceipt(
        Task.SWEEP,
        "sweep-q4-1",
        Reason.COLLECTED,
        "3 documents read, 2 changed and 0 removed: 2 addresses less",
        domains=3,
        emails=2,
        changed=2,
        suppression=end.receipt.suppression,
    )
    assert len(end.receipt.suppression) == 32
    assert no_traces(folder, place, intake, end)


async def test_the_operator_hears_what_will_lie_there(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("third.example", "a@third.example"))
    await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    data = contents(folder)["example.com.json"]
    (told,) = intake.swept
    assert told == contract.Swept(
        DOMAIN,
        emails=2,
        sha256=documents.digest(data),
        bytes=len(data),
        stored_at=documents.decode(data).stored_at,
    )


async def test_a_second_sweep_finds_nothing_to_do(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    environment = sweep_environ(folder, lists.environ, intake.environ(place))
    first = await sweep(environment, place)
    before = contents(folder)
    second = await sweep(environment, place)
    assert contents(folder) == before
    assert len(intake.swept) == 1
    assert (second.receipt.domains, second.receipt.changed, second.receipt.emails) == (1, 0, 0)
    assert second.receipt.suppression == first.receipt.suppression


async def test_what_was_collected_too_long_ago_goes_whole(intake: FailingIntake, folder: Path, place: Path) -> None:
    put(folder, document(), document("old.example", collected_at="2026-11-19T11:59:59.999Z"))
    limit = {names.RETAIN_FROM: "2026-11-19T12:00:00.000Z"}
    end = await sweep(sweep_environ(folder, limit, intake.environ(place)), place)
    assert list(contents(folder)) == ["example.com.json"]
    assert intake.swept == [contract.Swept("old.example", removed=True, expired=True)]
    assert (end.receipt.domains, end.receipt.removed, end.receipt.emails, end.receipt.suppression) == (2, 1, 3, "")


async def test_of_a_named_domain_nothing_stays(
    simulator: Simulator, intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    simulator.set_domain(DOMAIN, 250)
    await interrupted(simulator, folder, 2)
    put(folder, document(), document("shop.example.com"), document("other.example", "a@other.example"))
    lists.write("Example.com")
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert list(contents(folder)) == ["other.example.json"]
    assert intake.swept == [contract.Swept(DOMAIN, removed=True), contract.Swept("shop.example.com", removed=True)]
    assert (end.receipt.removed, end.receipt.changed, end.receipt.emails) == (2, 0, 6)


async def test_everybody_named_leaves_an_empty_document(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document())
    lists.write("@example.com")
    await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    after = documents.decode(contents(folder)["example.com.json"])
    assert (after.items, after.total, after.suppressed) == ((), 0, 3)


async def test_without_lists_and_age_limit_everything_stays(intake: FailingIntake, folder: Path, place: Path) -> None:
    put(folder, document())
    before = contents(folder)
    end = await sweep(sweep_environ(folder, intake.environ(place)), place)
    assert (end.code, contents(folder), intake.swept) == (ExitCode.DONE, before, [])


async def test_without_an_operator_the_folder_is_swept_all_the_same(lists: Lists, folder: Path, place: Path) -> None:
    put(folder, document())
    end = await sweep(sweep_environ(folder, lists.environ), place)
    assert (end.code, end.receipt.changed) == (ExitCode.DONE, 1)
    assert traces(JANE, folder) == []


async def test_a_folder_that_is_not_there_holds_nothing(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    assert (end.code, end.receipt.domains) == (ExitCode.DONE, 0)
    assert not there(folder)


async def test_what_is_no_document_of_ours_is_left_alone_and_counted(
    lists: Lists, folder: Path, place: Path, tmp_path: Path
) -> None:
    put(folder, document())
    outside = tmp_path / "outside.json"
    outside.write_bytes(documents.encode(document("linked.example")))
    foreign = {
        "notes.json": b"jane.doe@example.com",
        "damaged.example.json": documents.encode(document("damaged.example"))[:-9],
        "renamed.example.json": documents.encode(document("another.example")),
        f"{JANE}.json": documents.encode(document(JANE)),
        "Upper.example.json": documents.encode(document("Upper.example")),
        "example.com.json.bak": documents.encode(document()),
        ".hidden.example.json": documents.encode(document(".hidden.example")),
        "list.csv": JANE.encode(),
    }
    for name, data in foreign.items():
        (folder / name).write_bytes(data)
    (folder / "linked.example.json").symlink_to(outside)
    (folder / "folder.example.json").mkdir()
    os.mkfifo(folder / "pipe.example.json")
    end = await sweep(sweep_environ(folder, lists.environ), place)
    assert (end.code, end.receipt.domains, end.receipt.changed) == (ExitCode.DONE, 1, 1)
    assert {name: data for name, data in contents(folder).items() if name in foreign} == foreign
    assert documents.decode(outside.read_bytes()).total == 3
    assert "8 files" in end.log
    assert traces(JANE, end.log, end.receipt) == []


async def test_while_a_run_has_a_document_in_hand_it_is_left_alone(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("other.example"), document("third.example"))
    intake.busy = {DOMAIN, "third.example"}
    before = contents(folder)
    end = await sweep(sweep_environ(folder, lists.environ, intake.environ(place)), place)
    after = contents(folder)
    assert end.code == ExitCode.DONE
    assert [name for name in before if before[name] != after[name]] == ["other.example.json"]
    assert (end.receipt.domains, end.receipt.changed, end.receipt.emails) == (3, 1, 1)
    assert "2 left alone" in end.receipt.message


async def test_json_lines_hold_no_address_either(
    intake: FailingIntake, lists: Lists, folder: Path, place: Path
) -> None:
    put(folder, document(), document("other.example"))
    more = {**intake.environ(place), names.LOG_FORMAT: "json"}
    end = await sweep(sweep_environ(folder, lists.environ, more), place)
    assert no_traces(folder, place, intake, end)
    assert "other.example: 1 address removed, 2 left" in end.log
