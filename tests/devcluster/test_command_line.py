"""The command line refuses nonsense with one clear message and without a traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from devcluster.cli import main


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Caller":
    monkeypatch.setenv("NOVAHUNT_DEVCLUSTER_RUN", str(tmp_path))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return Caller()


class Caller:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("up", "--control-plane", "--name", "../x"), "1 to 16 of a-z"),
        (("down", "--name", "../x"), "1 to 16 of a-z"),
        (("up", "--control-plane", "--simulated-nodes", "-1"), "--simulated-nodes -1: 0 to 1000"),
        (("up", "--control-plane", "--kube-api-qps", "5"), "belong together"),
        (("up", "--control-plane", "--kube-api-qps", "50", "--kube-api-burst", "5"), "the burst not below the qps"),
        (("up", "--control-plane", "--network-policies"), "--network-policies is for a whole node"),
        (("env",), "no cluster named 'dev'"),
        (("status", "--name", "other"), "no cluster named 'other'"),
        (("load", "image:1"), "no cluster named 'dev'"),
        (("build", "--only", "everything"), "'everything' is not one of"),
    ],
)
def test_nonsense_is_refused(call: Caller, words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    answer = call(*words)
    assert answer.exit_code != 0
    assert message in answer.output
    assert "Traceback" not in answer.output
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_a_run_folder_too_deep_for_sockets_is_refused(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVAHUNT_DEVCLUSTER_RUN", str(tmp_path / ("x" * 80)))
    answer = call("up", "--control-plane")
    assert "too long for unix sockets; set NOVAHUNT_DEVCLUSTER_RUN" in answer.output


def test_taking_down_what_is_not_there_is_fine(call: Caller) -> None:
    answer = call("down")
    assert answer.exit_code == 0
    assert "there is no cluster 'dev'" in answer.output


def test_without_clusters_status_says_how_to_start_one(call: Caller) -> None:
    assert "`python -m devcluster up` starts one" in call("status").output


@pytest.mark.parametrize("verb", ["build", "up", "down", "status", "env", "load", "image"])
def test_every_verb_has_help(call: Caller, verb: str) -> None:
    answer = call(verb, "--help")
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 5
