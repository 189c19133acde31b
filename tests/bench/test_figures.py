"""The parts of the large measurements that compute: what is read from an audit log, and which bounds are missed."""

from collections import Counter
from pathlib import Path

import msgspec

from bench import audit, lags, soak
from bench.processes import Usage
from bench.scale_table import Run, Scale, Start, broken, table
from hunter_simulator import Entry, fingerprint
from hunter_simulator.report import Recorder
from novahunt_api import names

USER = "system:serviceaccount:bench-1:novahunt"
CONTROLLER = "system:serviceaccount:kube-system:job-controller"


def line(
    second: float, verb: str, kind: str, name: str, *, user: str = USER, code: int = 200, namespace: str = "bench-1"
) -> str:
    """Return a line of the log; the call ends a tenth of a second after it came."""
    resource, _, subresource = kind.partition("/")
    return msgspec.json.encode(
        {
            "kind": "Event",
            "level": "Metadata",
            "verb": verb,
            "user": {"username": user, "groups": ["x"]},
            "objectRef": {"resource": resource, "subresource": subresource, "namespace": namespace, "name": name},
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": f"2026-11-24T12:00:{second:09.6f}Z",
            "stageTimestamp": f"2026-11-24T12:00:{second + 0.1:09.6f}Z",
        }
    ).decode()


def write(folder: Path, *lines: str, name: str = "audit.log") -> Path:
    file = folder / name
    file.write_text("".join(f"{one}\n" for one in lines))
    return file


def test_calls_about_a_namespace_are_read_from_rotated_files_first(tmp_path: Path) -> None:
    write(tmp_path, line(1, "create", "jobs", "old"), name="audit-2026-11-24T12-00-01.000.log")
    log = write(tmp_path, line(2, "create", "jobs", "new"), line(3, "create", "jobs", "other", namespace="bench-11"))
    with log.open("a") as file:
        file.write('{"verb": "create", "objectRef": {"namespace":"bench-1"')
    assert [call.object_ref.name for call in audit.read(log, "bench-1")] == ["old", "new"]


def test_a_users_writes_are_counted_with_those_that_were_refused(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        line(1, "create", "jobs", "a"),
        line(2, "create", "jobs", "a", code=409),
        line(3, "get", "jobs", "a"),
        line(4, "patch", "domaincollections/status", "q4"),
        line(5, "update", "jobs/status", "a", user=CONTROLLER),
    )
    assert audit.writes(audit.read(log, "bench-1"), USER) == Counter(
        {"create jobs": 2, "patch domaincollections/status": 1}
    )


def test_lags_are_taken_from_the_last_word_on_each_step(tmp_path: Path) -> None:
    job = names.job_name("q4", "uid-1", "a.example", 1)
    result = names.result_name("q4", "a.example")
    log = write(
        tmp_path,
        line(0, "create", "domaincollections", "q4", user="admin"),
        line(2, "patch", "pods/status", f"{job}-abcde", user="kwok"),
        line(3, "patch", "pods/status", f"{job}-abcde", user="kwok"),
        line(4, "patch", "domaincollections/status", "q4"),
        line(5, "update", "jobs/status", job, user=CONTROLLER),
        line(6, "create", "domainresults", result),
        line(6.5, "patch", "domaincollections/status", "other"),
        line(7, "update", "domainresults", result),
        line(9, "patch", "domaincollections/status", "q4"),
    )
    calls = audit.read(log, "bench-1")
    found = lags.measure(calls, operator=USER, collection="q4", uid="uid-1", domains=["a.example"])
    assert found == lags.Lags(
        pod_to_result=[4], job_to_result=[2], result_to_status=[2], first_result=7.1, all_results=7.1
    )


def run(**fields: object) -> Run:
    given = {
        "name": "a run",
        "domains": 100,
        "lags": lags.Lags([1.0] * 100, [0.1] * 100, [1.0] * 100, first_result=2, all_results=10),
        "used": Usage(cpu=1.0, peak_mib=100),
        "writes": Counter({"create jobs": 300}),
        "status_bytes": 2048,
        "object_bytes": 4096,
        "edit_seconds": 1.0,
        "bare_rate": 10.0,
    }
    return msgspec.convert({**given, **fields}, Run)


def scale(*runs: Run) -> Scale:
    return Scale(runs, Start(500, 5.0, Usage(2.0, 120)), plan_ms=10, plan_domains=100)


def test_a_figure_beyond_its_bound_is_named_and_one_without_a_comparison_is_not() -> None:
    assert broken(scale(run())) == []
    slow, greedy = run(bare_rate=11.0), run(writes=Counter({"create jobs": 500}))
    assert broken(scale(slow, greedy, run(bare_rate=None))) == [
        "a run: … of the bare loop's",
        "a run: operator, API writes per domain",
    ]
    shown = "\n".join(table(scale(run())))
    assert "| … of the bare loop's | 100.00 % | ≥ 95 % |" in shown
    assert "| create jobs | 300 |" in shown


def arrival(key: str, clock: float, outcome: str = "answered") -> Entry:
    fields = {"at": "", "method": "GET", "path": "/v2/domain-search", "key_place": "header", "user_agent": "x"}
    given = {**fields, "status": 200, "clock": clock, "key": fingerprint(key), "outcome": outcome}
    return msgspec.convert(given, Entry)


def test_a_soak_counts_the_measured_minutes_alone() -> None:
    recorder = Recorder(log_size=10_000)
    for number in range(500):
        recorder.add(arrival("one", 1000 + number / 10), searched=True)
    for number in range(450):
        recorder.add(arrival("one", 1060 + number / 10), searched=True)
    recorder.add(arrival("one", 1119, outcome="throttled"), searched=False)
    recorder.add(arrival("one", 1121), searched=True)
    found = soak.figures(recorder.report(), "one", 2)
    assert (found.requests, found.refused, found.least_in_a_minute) == (951, 1, 451)
    assert found.share == 95.1
