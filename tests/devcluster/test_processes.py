"""Only the cluster's own processes are ended, even when pids are used again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devcluster.processes import (
    MARK,
    Identity,
    ProcessTable,
    Started,
    end_all,
    identity_of,
    is_alive,
    kill,
    marked,
    start,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def known(process: "subprocess.Popen[bytes]") -> Identity:
    identity = identity_of(process.pid)
    assert identity is not None
    return identity


def test_a_recorded_process_is_ended(sleeper: "subprocess.Popen[bytes]") -> None:
    end_all([known(sleeper)])
    assert sleeper.wait() == -9


@pytest.mark.parametrize("other", [{"start_time": 1}, {"boot": "an earlier one"}])
def test_another_process_with_a_recorded_pid_is_left_alone(
    sleeper: "subprocess.Popen[bytes]", other: dict[str, int | str]
) -> None:
    earlier = replace(known(sleeper), **other)  # type: ignore[arg-type]
    assert not is_alive(earlier)
    kill(earlier)
    end_all([earlier])
    assert sleeper.poll() is None


def test_the_remains_of_a_process_do_not_count_as_alive(sleeper: "subprocess.Popen[bytes]") -> None:
    identity = known(sleeper)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(identity)


def test_a_program_with_brackets_and_blanks_in_its_name_is_read_right(tmp_path: Path) -> None:
    (tmp_path / "77").mkdir()
    fields = " ".join(str(number) for number in range(4, 53))
    (tmp_path / "77" / "stat").write_text(f"77 (a) R (b c) S {fields}\n")
    identity = identity_of(77, tmp_path)
    assert identity is not None
    assert identity.start_time == 22


def test_nobody_has_a_pid_that_is_not_there(tmp_path: Path) -> None:
    assert identity_of(77, tmp_path) is None


def test_a_process_that_was_never_recorded_is_found_by_its_mark(tmp_path: Path) -> None:
    run_folder = tmp_path / "c"
    process = start(SLEEP, log=tmp_path / "log", environment={**os.environ, MARK: str(run_folder)})
    try:
        assert marked(run_folder) == [known(process)]
        assert marked(tmp_path) == []
    finally:
        process.kill()
        process.wait()


def test_a_started_process_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    process = start(SLEEP, log=tmp_path / "log", environment=os.environ)
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        process.kill()
        process.wait()


def test_the_table_remembers_and_forgives_a_line_that_a_kill_has_cut(tmp_path: Path) -> None:
    table = ProcessTable(tmp_path / "processes.jsonl")
    assert table.read() == []
    one = Started("etcd", Identity(10, 20, "boot"))
    table.add(one)
    with (tmp_path / "processes.jsonl").open("a") as file:
        file.write('{"component": "kube-api')
    assert table.read() == [one]


def test_a_component_that_was_started_again_counts_as_it_was_started_last(tmp_path: Path) -> None:
    table = ProcessTable(tmp_path / "processes.jsonl")
    for pid in (10, 11):
        for component in ("etcd", "kubelet"):
            table.add(Started(component, Identity(pid, 20, "boot"), (component, "--flag")))
    assert table.read() == [
        Started("etcd", Identity(11, 20, "boot"), ("etcd", "--flag")),
        Started("kubelet", Identity(11, 20, "boot"), ("kubelet", "--flag")),
    ]


def test_a_record_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "processes.jsonl").write_text('{"component": "etcd", "pid": 10, "start_time": 20, "boot": "boot"}\n')
    assert ProcessTable(tmp_path / "processes.jsonl").read() == [Started("etcd", Identity(10, 20, "boot"))]
